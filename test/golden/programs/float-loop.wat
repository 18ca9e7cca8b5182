;; A dot product.
;;
;; entry:  ; entered from outside
;;   000  00053787  fld fa5,0(a0)
;;   004  0005b707  fld fa4,0(a1)
;;   008  52e7f543  fmadd.d fa0,fa5,fa4,fa0
;;   00c  00850513  addi a0,a0,8
;;   010  00858593  addi a1,a1,8
;;   014  fec516e3  bne a0,a2,0
;;   018  00008067  jalr zero,0(ra)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "loadQuick" (func $loadQuick (param i64 i32) (result i64)))
  (import "env" "softfloat" (func $softfloat (param i32 i32 i32 i64 i64 i64) (result i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $tlb i32) (local $read_generation i64)
    (local $write_generation i64) (local $x10 i64) (local $local9 i64) (local $local10 i32)
    (local $local11 i64) (local $local12 i64) (local $f15 f64) (local $x11 i64)
    (local $f14 f64) (local $f10 f64) (local $local17 i64) (local $local18 i64)
    (local $x12 i64) (local $x1 i64) (local $local21 i32)
    (block
      (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
      (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
      (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
      (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
      (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
      (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
      (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
      (local.set $x1 (i64.load offset=8 (i32.const 0 (;ra;))))
      (local.set $f15 (f64.load offset=120 (i32.const 272 (;fa5;))))
      (local.set $f14 (f64.load offset=112 (i32.const 272 (;fa4;))))
      (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
    )
    (block $block (block $block_2 (loop $loop (block $block_3
      (block)
      (loop $loop_2
        (block)
        (local.set $pend (i32.const 0))
        (if (i32.lt_u (local.get $remaining) (i32.const 6))
          (then
            (local.set $remaining (local.get $remaining))
            (local.set $target (local.get $page))
            (br $block_2)))
        (local.set $remaining (i32.sub (local.get $remaining) (i32.const 6)))
        (if
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 6)))
            (local.set $target (local.get $page))
            (br $block_2)))
        (local.set $local9 (local.get $x10))
        (local.set $local10
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
        (if
          (i64.eq
            (i64.load (local.get $local10))
            (i64.or (i64.and (local.get $local9) (i64.const -4089)) (local.get $read_generation)))
          (then
            (local.set $local11
              (i64.load
                (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
          (else
            (local.set $local12 (call $loadQuick (local.get $local9) (i32.const 8)))
            (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
            (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
            (if
              (i32.or
                (i32.load offset=848 (i32.const 0 (;event;)))
                (i32.load offset=868 (i32.const 0 (;refetch;))))
              (then
                (local.set $remaining (i32.add (local.get $remaining) (i32.const 6)))
                (local.set $target (local.get $page))
                (br $block_2)))
            (local.set $local11 (local.get $local12))))
        (local.set $f15 (f64.reinterpret_i64 (local.get $local11)))
        (local.set $local12 (local.get $x11))
        (local.set $local10
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local12) (i64.const 7))) (i32.const 0x1ffe0))))
        (if
          (i64.eq
            (i64.load (local.get $local10))
            (i64.or (i64.and (local.get $local12) (i64.const -4089)) (local.get $read_generation)))
          (then
            (local.set $local11
              (i64.load
                (i32.add (i32.wrap_i64 (local.get $local12)) (i32.load offset=24 (local.get $local10))))))
          (else
            (local.set $local9 (call $loadQuick (local.get $local12) (i32.const 8)))
            (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
            (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
            (if
              (i32.or
                (i32.load offset=848 (i32.const 0 (;event;)))
                (i32.load offset=868 (i32.const 0 (;refetch;))))
              (then
                (local.set $remaining (i32.add (local.get $remaining) (i32.const 5)))
                (local.set $target (i64.add (local.get $page) (i64.const 4)))
                (br $block_2)))
            (local.set $local11 (local.get $local9))))
        (local.set $f14 (f64.reinterpret_i64 (local.get $local11)))
        (local.set $local10
          (i32.and
            (i32.wrap_i64 (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)))
            (i32.const 7)))
        (if (i32.gt_u (local.get $local10) (i32.const 4))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 4)))
            (local.set $target (i64.add (local.get $page) (i64.const 8)))
            (br $block_2)))
        (local.set $local9 (i64.reinterpret_f64 (local.get $f15)))
        (local.set $local11 (i64.reinterpret_f64 (local.get $f14)))
        (local.set $local12 (i64.reinterpret_f64 (local.get $f10)))
        (block
          (local.set $local18
            (call $softfloat
              (i32.const 5)
              (i32.const 0)
              (local.get $local10)
              (local.get $local9)
              (local.get $local11)
              (local.get $local12)))
          (local.set $local17 (local.get $local18))
        )
        (local.set $f10 (f64.reinterpret_i64 (local.get $local17)))
        (local.set $x10 (i64.add (local.get $x10) (i64.const 8)))
        (local.set $x11 (i64.add (local.get $x11) (i64.const 8)))
        (if (i64.ne (local.get $x10) (local.get $x12))
          (then
            (br $loop_2)))
        (br $block_3)
      )
    ) ;; $block_3
      (if (i32.lt_u (local.get $remaining) (i32.const 1))
        (then
          (local.set $remaining (local.get $remaining))
          (local.set $target (i64.add (local.get $page) (i64.const 24)))
          (br $block_2)))
      (local.set $remaining (i32.sub (local.get $remaining) (i32.const 1)))
      (local.set $local18 (i64.and (local.get $x1) (i64.const -2)))
      (local.set $target (local.get $local18))
      (if (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096))
        (then
          (local.set $local10
            (i32.load offset=16810032
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1))))
          (if (i32.eq (i32.and (local.get $local10) (i32.const 65535)) (i32.const 32775))
            (then
              (local.set $pend (i32.add (i32.shr_u (local.get $local10) (i32.const 16)) (i32.const 1)))
              (br $loop)))))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=112 (i32.const 272 (;fa4;)) (local.get $f14))
      (f64.store offset=120 (i32.const 272 (;fa5;)) (local.get $f15))
      (br $block)
    )
    ) ;; $block_2
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=112 (i32.const 272 (;fa4;)) (local.get $f14))
      (f64.store offset=120 (i32.const 272 (;fa5;)) (local.get $f15))
      (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
      (return (local.get $remaining))
    ) ;; $block
    (local.set $local10
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local18 (i64.and (local.get $target) (i64.const -4096)))
    (if
      (i64.eq
        (i64.load (local.get $local10))
        (i64.or (local.get $local18) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local21
          (i32.load offset=32816
            (i32.add
              (i32.load offset=8 (local.get $local10))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (i32.and (local.get $local21) (i32.const 32768))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local21) (i32.const 16))
              (local.get $local18)
              (i32.and (local.get $local21) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
    (unreachable)
  )
)
