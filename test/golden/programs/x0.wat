;; x0 reads as the constant 0, and what is written to it is nowhere; a load into it is still made, because it may trap.
;;
;; entry:  ; entered from outside
;;   000  00000533  add a0,zero,zero
;;   004  40c005b3  sub a1,zero,a2
;;   008  00550013  addi zero,a0,5
;;   00c  000766b3  or a3,a4,zero
;;   010  010037b3  sltu a5,zero,a6
;;   014  0008b003  ld zero,0(a7)
;;   018  fe0014e3  bne zero,zero,0
;;   01c  fe0282e3  beq t0,zero,0
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "loadQuick" (func $loadQuick (param i64 i32) (result i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $tlb i32) (local $read_generation i64)
    (local $write_generation i64) (local $x10 i64) (local $x12 i64) (local $x11 i64)
    (local $x14 i64) (local $x13 i64) (local $x16 i64) (local $x15 i64) (local $x17 i64)
    (local $local16 i64) (local $local17 i32) (local $local18 i64) (local $local19 i64)
    (local $x5 i64) (local $local21 i32)
    (block
      (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
      (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
      (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
      (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
      (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
      (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
      (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
      (local.set $x14 (i64.load offset=112 (i32.const 0 (;a4;))))
      (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
      (local.set $x16 (i64.load offset=128 (i32.const 0 (;a6;))))
      (local.set $x15 (i64.load offset=120 (i32.const 0 (;a5;))))
      (local.set $x17 (i64.load offset=136 (i32.const 0 (;a7;))))
      (local.set $x5 (i64.load offset=40 (i32.const 0 (;t0;))))
    )
    (block $block (block $block_2
      (loop
        (block)
        (loop $loop (block $block_3
          (block)
          (local.set $pend (i32.const 0))
          (if (i32.lt_u (local.get $remaining) (i32.const 7))
            (then
              (local.set $remaining (local.get $remaining))
              (local.set $target (local.get $page))
              (br $block_2)))
          (local.set $remaining (i32.sub (local.get $remaining) (i32.const 7)))
          (local.set $x10 (i64.const 0))
          (local.set $x11 (i64.sub (i64.const 0) (local.get $x12)))
          (local.set $x13 (local.get $x14))
          (local.set $x15 (i64.extend_i32_u (i64.lt_u (i64.const 0) (local.get $x16))))
          (local.set $local16 (local.get $x17))
          (local.set $local17
            (i32.add
              (local.get $tlb)
              (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local16) (i64.const 7))) (i32.const 0x1ffe0))))
          (if
            (i64.eq
              (i64.load (local.get $local17))
              (i64.or (i64.and (local.get $local16) (i64.const -4089)) (local.get $read_generation)))
            (then
              (local.set $local18
                (i64.load
                  (i32.add (i32.wrap_i64 (local.get $local16)) (i32.load offset=24 (local.get $local17))))))
            (else
              (local.set $local19 (call $loadQuick (local.get $local16) (i32.const 8)))
              (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
              (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
              (if
                (i32.or
                  (i32.load offset=848 (i32.const 0 (;event;)))
                  (i32.load offset=868 (i32.const 0 (;refetch;))))
                (then
                  (local.set $remaining (i32.add (local.get $remaining) (i32.const 2)))
                  (local.set $target (i64.add (local.get $page) (i64.const 20)))
                  (br $block_2)))
              (local.set $local18 (local.get $local19))))
          (br $block_3)
        ) ;; $block_3
          (if (i32.lt_u (local.get $remaining) (i32.const 1))
            (then
              (local.set $remaining (local.get $remaining))
              (local.set $target (i64.add (local.get $page) (i64.const 28)))
              (br $block_2)))
          (local.set $remaining (i32.sub (local.get $remaining) (i32.const 1)))
          (if (i64.eq (local.get $x5) (i64.const 0))
            (then
              (br $loop)))
          (local.set $target (i64.add (local.get $page) (i64.const 32)))
          (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
          (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
          (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
          (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
          (br $block)
        )
      )
    ) ;; $block_2
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
      (return (local.get $remaining))
    ) ;; $block
    (local.set $local17
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local19 (i64.and (local.get $target) (i64.const -4096)))
    (if
      (i64.eq
        (i64.load (local.get $local17))
        (i64.or (local.get $local19) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local21
          (i32.load offset=32816
            (i32.add
              (i32.load offset=8 (local.get $local17))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (i32.and (local.get $local21) (i32.const 32768))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local21) (i32.const 16))
              (local.get $local19)
              (i32.and (local.get $local21) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
    (unreachable)
  )
)
