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
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $x12 i64) (local $x11 i64) (local $x14 i64) (local $x13 i64)
    (local $x16 i64) (local $x15 i64) (local $x17 i64) (local $local15 i64)
    (local $local16 i64) (local $local17 i32) (local $x5 i64) (local $local19 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x14 (i64.load offset=112 (i32.const 0 (;a4;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (local.set $x16 (i64.load offset=128 (i32.const 0 (;a6;))))
    (local.set $x15 (i64.load offset=120 (i32.const 0 (;a5;))))
    (local.set $x17 (i64.load offset=136 (i32.const 0 (;a7;))))
    (local.set $x5 (i64.load offset=40 (i32.const 0 (;t0;))))
    (block $chain (block $stop (loop $loop_000
      (local.set $pend (i32.const 0))
      (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 8))
        (then
          (local.set $stop_place (i32.const 0))
          (br $stop)))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -7)))
      ;; 000: add a0,zero,zero
      (local.set $x10 (i64.const 0))
      ;; 004: sub a1,zero,a2
      (local.set $x11 (i64.sub (i64.const 0) (local.get $x12)))
      ;; 008: addi zero,a0,5
      ;; 00c: or a3,a4,zero
      (local.set $x13 (local.get $x14))
      ;; 010: sltu a5,zero,a6
      (local.set $x15 (i64.extend_i32_u (i64.ne (local.get $x16) (i64.const 0))))
      ;; 014: ld zero,0(a7)
      (local.set $local15 (local.get $x17))
      (local.set $local17
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local15) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local17))
          (i64.or
            (i64.and (local.get $local15) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local16
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local15)) (i32.load offset=24 (local.get $local17))))))
        (else
          (local.set $stop_place (i32.const 0x20014))
          (br $stop)))
      ;; 018: bne zero,zero,0
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -1)))
      ;; 01c: beq t0,zero,0
      (br_if $loop_000 (i64.eqz (local.get $x5)))
      (local.set $target (i64.add (local.get $page) (i64.const 32)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (br $chain)
    )
    ) ;; $stop
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local17
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local16 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local17))
        (i64.or (local.get $local16) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local19
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local17))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local19) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local19) (i32.const 16))
              (local.get $local16)
              (i32.and (local.get $local19) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
