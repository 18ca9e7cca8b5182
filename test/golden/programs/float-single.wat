;; Floating point of single precision: operands must be boxed properly, results are boxed.
;;
;; entry:  ; entered from outside
;;   000  00052507  flw fa0,0(a0)
;;   004  00452587  flw fa1,4(a0)
;;   008  00b57653  fadd.s fa2,fa0,fa1
;;   00c  10a67653  fmul.s fa2,fa2,fa0
;;   010  00c52427  fsw fa2,8(a0)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "loadQuick" (func $loadQuick (param i64 i32) (result i64)))
  (import "env" "storeQuick" (func $storeQuick (param i64 i32 i64)))
  (import "env" "softfloat" (func $softfloat (param i32 i32 i32 i64 i64 i64) (result i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $tlb i32) (local $read_generation i64)
    (local $write_generation i64) (local $x10 i64) (local $local9 i64) (local $local10 i32)
    (local $local11 i64) (local $local12 i64) (local $f10 f64) (local $f11 f64)
    (local $local15 i64) (local $local16 i64) (local $local17 i64) (local $local18 i64)
    (local $local19 i64) (local $local20 i64) (local $f12 f64) (local $local22 i32)
    (block
      (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
      (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
      (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
      (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
      (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
      (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
      (local.set $f11 (f64.load offset=88 (i32.const 272 (;fa1;))))
      (local.set $f12 (f64.load offset=96 (i32.const 272 (;fa2;))))
    )
    (block $block (block $block_2
      (loop
        (block)
        (local.set $pend (i32.const 0))
        (if (i32.lt_u (local.get $remaining) (i32.const 5))
          (then
            (local.set $remaining (local.get $remaining))
            (local.set $target (local.get $page))
            (br $block_2)))
        (local.set $remaining (i32.sub (local.get $remaining) (i32.const 5)))
        (if
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 5)))
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
            (i64.or (i64.and (local.get $local9) (i64.const -4093)) (local.get $read_generation)))
          (then
            (local.set $local11
              (i64.load32_u
                (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
          (else
            (local.set $local12 (call $loadQuick (local.get $local9) (i32.const 4)))
            (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
            (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
            (if
              (i32.or
                (i32.load offset=848 (i32.const 0 (;event;)))
                (i32.load offset=868 (i32.const 0 (;refetch;))))
              (then
                (local.set $remaining (i32.add (local.get $remaining) (i32.const 5)))
                (local.set $target (local.get $page))
                (br $block_2)))
            (local.set $local11 (local.get $local12))))
        (local.set $f10 (f64.reinterpret_i64 (i64.or (local.get $local11) (i64.const 0xffffffff00000000))))
        (local.set $local12 (i64.add (local.get $x10) (i64.const 4)))
        (local.set $local10
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local12) (i64.const 7))) (i32.const 0x1ffe0))))
        (if
          (i64.eq
            (i64.load (local.get $local10))
            (i64.or (i64.and (local.get $local12) (i64.const -4093)) (local.get $read_generation)))
          (then
            (local.set $local11
              (i64.load32_u
                (i32.add (i32.wrap_i64 (local.get $local12)) (i32.load offset=24 (local.get $local10))))))
          (else
            (local.set $local9 (call $loadQuick (local.get $local12) (i32.const 4)))
            (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
            (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
            (if
              (i32.or
                (i32.load offset=848 (i32.const 0 (;event;)))
                (i32.load offset=868 (i32.const 0 (;refetch;))))
              (then
                (local.set $remaining (i32.add (local.get $remaining) (i32.const 4)))
                (local.set $target (i64.add (local.get $page) (i64.const 4)))
                (br $block_2)))
            (local.set $local11 (local.get $local9))))
        (local.set $f11 (f64.reinterpret_i64 (i64.or (local.get $local11) (i64.const 0xffffffff00000000))))
        (local.set $local9 (i64.reinterpret_f64 (local.get $f10)))
        (local.set $local11
          (select
            (i64.and (local.get $local9) (i64.const 0xffffffff))
            (i64.const 0x7fc00000)
            (i64.eq (i64.shr_u (local.get $local9) (i64.const 32)) (i64.const 0xffffffff))))
        (local.set $local12 (i64.reinterpret_f64 (local.get $f11)))
        (local.set $local15
          (select
            (i64.and (local.get $local12) (i64.const 0xffffffff))
            (i64.const 0x7fc00000)
            (i64.eq (i64.shr_u (local.get $local12) (i64.const 32)) (i64.const 0xffffffff))))
        (local.set $local10
          (i32.and
            (i32.wrap_i64 (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)))
            (i32.const 7)))
        (if (i32.gt_u (local.get $local10) (i32.const 4))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 3)))
            (local.set $target (i64.add (local.get $page) (i64.const 8)))
            (br $block_2)))
        (local.set $local16 (local.get $local11))
        (local.set $local17 (local.get $local15))
        (block $block_3
          (if
            (i32.and
              (i32.eqz (local.get $local10))
              (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
            (then
              (local.set $local19
                (i64.extend_i32_u
                  (i32.reinterpret_f32
                    (f32.add
                      (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local16)))
                      (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local17)))))))
              (if
                (i64.lt_u
                  (i64.sub (i64.and (local.get $local19) (i64.const 0x7fffffff)) (i64.const 0x800001))
                  (i64.const 0x7effffff))
                (then
                  (local.set $local18 (local.get $local19))
                  (br $block_3)))))
          (local.set $local20
            (call $softfloat
              (i32.const 0)
              (i32.const 1)
              (local.get $local10)
              (local.get $local16)
              (local.get $local17)
              (i64.const 0)))
          (local.set $local18 (local.get $local20))
        ) ;; $block_3
        (local.set $f12 (f64.reinterpret_i64 (i64.or (local.get $local18) (i64.const 0xffffffff00000000))))
        (local.set $local20 (i64.reinterpret_f64 (local.get $f12)))
        (local.set $local19
          (select
            (i64.and (local.get $local20) (i64.const 0xffffffff))
            (i64.const 0x7fc00000)
            (i64.eq (i64.shr_u (local.get $local20) (i64.const 32)) (i64.const 0xffffffff))))
        (local.set $local18 (i64.reinterpret_f64 (local.get $f10)))
        (local.set $local17
          (select
            (i64.and (local.get $local18) (i64.const 0xffffffff))
            (i64.const 0x7fc00000)
            (i64.eq (i64.shr_u (local.get $local18) (i64.const 32)) (i64.const 0xffffffff))))
        (local.set $local10
          (i32.and
            (i32.wrap_i64 (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)))
            (i32.const 7)))
        (if (i32.gt_u (local.get $local10) (i32.const 4))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 2)))
            (local.set $target (i64.add (local.get $page) (i64.const 12)))
            (br $block_2)))
        (local.set $local16 (local.get $local19))
        (local.set $local15 (local.get $local17))
        (block $block_4
          (if
            (i32.and
              (i32.eqz (local.get $local10))
              (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
            (then
              (local.set $local11
                (i64.extend_i32_u
                  (i32.reinterpret_f32
                    (f32.mul
                      (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local16)))
                      (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local15)))))))
              (if
                (i64.lt_u
                  (i64.sub (i64.and (local.get $local11) (i64.const 0x7fffffff)) (i64.const 0x800001))
                  (i64.const 0x7effffff))
                (then
                  (local.set $local12 (local.get $local11))
                  (br $block_4)))))
          (local.set $local9
            (call $softfloat
              (i32.const 2)
              (i32.const 1)
              (local.get $local10)
              (local.get $local16)
              (local.get $local15)
              (i64.const 0)))
          (local.set $local12 (local.get $local9))
        ) ;; $block_4
        (local.set $f12 (f64.reinterpret_i64 (i64.or (local.get $local12) (i64.const 0xffffffff00000000))))
        (local.set $local9 (i64.add (local.get $x10) (i64.const 8)))
        (local.set $local10
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
        (if
          (i64.eq
            (i64.load offset=8 (local.get $local10))
            (i64.or (i64.and (local.get $local9) (i64.const -4093)) (local.get $write_generation)))
          (then
            (i64.store32
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10)))
              (i64.reinterpret_f64 (local.get $f12))))
          (else
            (call $storeQuick (local.get $local9) (i32.const 4) (i64.reinterpret_f64 (local.get $f12)))
            (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
            (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
            (if
              (i32.or
                (i32.load offset=848 (i32.const 0 (;event;)))
                (i32.load offset=868 (i32.const 0 (;refetch;))))
              (then
                (local.set $remaining (i32.add (local.get $remaining) (i32.const 1)))
                (local.set $target (i64.add (local.get $page) (i64.const 16)))
                (br $block_2)))))
        (local.set $target (i64.add (local.get $page) (i64.const 20)))
        (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
        (f64.store offset=88 (i32.const 272 (;fa1;)) (local.get $f11))
        (f64.store offset=96 (i32.const 272 (;fa2;)) (local.get $f12))
        (br $block)
      )
    ) ;; $block_2
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=88 (i32.const 272 (;fa1;)) (local.get $f11))
      (f64.store offset=96 (i32.const 272 (;fa2;)) (local.get $f12))
      (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
      (return (local.get $remaining))
    ) ;; $block
    (local.set $local10
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local9 (i64.and (local.get $target) (i64.const -4096)))
    (if
      (i64.eq
        (i64.load (local.get $local10))
        (i64.or (local.get $local9) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local22
          (i32.load offset=32816
            (i32.add
              (i32.load offset=8 (local.get $local10))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (i32.and (local.get $local22) (i32.const 32768))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local22) (i32.const 16))
              (local.get $local9)
              (i32.and (local.get $local22) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
    (unreachable)
  )
)
