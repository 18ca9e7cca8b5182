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
  (import "env" "softfloat" (func $softfloat (param i32 i32 i32 i64 i64 i64) (result i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $local8 i64) (local $local9 i64) (local $local10 i32)
    (local $f15 f64) (local $x11 i64) (local $f14 f64) (local $f10 f64) (local $local15 i64)
    (local $local16 i64) (local $local17 i64) (local $x12 i64) (local $x1 i64)
    (local $local20 i32) (local $local21 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x1 (i64.load offset=8 (i32.const 0 (;ra;))))
    (local.set $f15 (f64.load offset=120 (i32.const 272 (;fa5;))))
    (local.set $f14 (f64.load offset=112 (i32.const 272 (;fa4;))))
    (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
    (block $chain (block $stop (loop $dispatch (block $indirect (loop $loop_000
      (local.set $pend (i32.const 0))
      (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 7))
        (then
          (local.set $stop_place (i32.const 0))
          (br $stop)))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -6)))
      ;; 000: fld fa5,0(a0)
      (if (;unlikely;)
        (i32.or
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (i64.ne (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 224)) (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x60000))
          (br $stop)))
      (local.set $local8 (local.get $x10))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local8) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local8) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local9
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local8)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x60000))
          (br $stop)))
      (local.set $f15 (f64.reinterpret_i64 (local.get $local9)))
      ;; 004: fld fa4,0(a1)
      (local.set $local9 (local.get $x11))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local8
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x50004))
          (br $stop)))
      (local.set $f14 (f64.reinterpret_i64 (local.get $local8)))
      ;; 008: fmadd.d fa0,fa5,fa4,fa0
      (local.set $local8 (i64.reinterpret_f64 (local.get $f15)))
      (local.set $local9 (i64.reinterpret_f64 (local.get $f14)))
      (local.set $local15 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local16
        (i64.reinterpret_f64
          (f64x2.extract_lane 0
            (f64x2.relaxed_madd
              (f64x2.splat (f64.reinterpret_i64 (local.get $local8)))
              (f64x2.splat (f64.reinterpret_i64 (local.get $local9)))
              (f64x2.splat (f64.reinterpret_i64 (local.get $local15)))))))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (i32.lt_u
              (i32.add
                (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local16) (i64.const 52))) (i32.const 2047))
                (i32.const -2))
              (i32.const 2045))
            (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1))))
        (then
          (local.set $local17
            (call $softfloat
              (i32.const 5)
              (i32.const 0)
              (i32.const 0)
              (local.get $local8)
              (local.get $local9)
              (local.get $local15)))
          (local.set $local16 (local.get $local17))))
      (local.set $f10 (f64.reinterpret_i64 (local.get $local16)))
      ;; 00c: addi a0,a0,8
      (local.set $x10 (i64.add (local.get $x10) (i64.const 8)))
      ;; 010: addi a1,a1,8
      (local.set $x11 (i64.add (local.get $x11) (i64.const 8)))
      ;; 014: bne a0,a2,0
      (br_if $loop_000 (i64.ne (local.get $x10) (local.get $x12)))
    )
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -1)))
      ;; 018: jalr zero,0(ra)
      (local.set $local17 (i64.and (local.get $x1) (i64.const -2)))
      (local.set $target (local.get $local17))
      (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=112 (i32.const 272 (;fa4;)) (local.get $f14))
      (f64.store offset=120 (i32.const 272 (;fa5;)) (local.get $f15))
      (br $chain)
    ) ;; $indirect
      (local.set $pend (i32.wrap_i64 (i64.sub (local.get $target) (local.get $page))))
      (local.set $local10
        (i32.load offset=16810048 (i32.shl (i32.and (local.get $pend) (i32.const 4094)) (i32.const 1))))
      (if (;likely;) (i32.eq (i32.and (local.get $local10) (i32.const 65535)) (i32.const 32775))
        (then
          (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 512))
            (then
              (local.set $stop_place (local.get $pend))
              (br $stop)))
          (local.set $pend (i32.add (i32.shr_u (local.get $local10) (i32.const 16)) (i32.const 1)))
          (br $dispatch)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=112 (i32.const 272 (;fa4;)) (local.get $f14))
      (f64.store offset=120 (i32.const 272 (;fa5;)) (local.get $f15))
      (br $chain)
    )
    ) ;; $stop
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=112 (i32.const 272 (;fa4;)) (local.get $f14))
      (f64.store offset=120 (i32.const 272 (;fa5;)) (local.get $f15))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local20
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local17 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local20))
        (i64.or (local.get $local17) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local21
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local20))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local21) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local21) (i32.const 16))
              (local.get $local17)
              (i32.and (local.get $local21) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
