;; Comparisons, and a branch on one.
;;
;; entry:  ; entered from outside
;;   000  a2b51553  flt.d a0,fa0,fa1
;;   004  00051863  bne a0,zero,14
;;   008  a2b525d3  feq.d a1,fa0,fa1
;;   00c  a0100653  fle.s a2,ft0,ft1
;;   010  e20516d3  fclass.d a3,fa0
;; less:
;;   014  2ab50553  fmin.d fa0,fa0,fa1
;;   018  00008067  jalr zero,0(ra)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "softfloat" (func $softfloat (param i32 i32 i32 i64 i64 i64) (result i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $f10 f64) (local $f11 f64) (local $local9 i64) (local $local10 i64)
    (local $local11 i32) (local $local12 i64) (local $local13 i64) (local $x10 i64)
    (local $x11 i64) (local $f0 f64) (local $f1 f64) (local $local18 i64) (local $local19 i64)
    (local $local20 i64) (local $local21 i64) (local $x12 i64) (local $x13 i64)
    (local $x1 i64) (local $local25 i32) (local $local26 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (local.set $x1 (i64.load offset=8 (i32.const 0 (;ra;))))
    (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
    (local.set $f11 (f64.load offset=88 (i32.const 272 (;fa1;))))
    (local.set $f0 (f64.load (i32.const 272 (;ft0;))))
    (local.set $f1 (f64.load offset=8 (i32.const 272 (;ft1;))))
    (block $chain (block $stop (loop $dispatch (block $indirect (block $to_014
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -2)))
      ;; 000: flt.d a0,fa0,fa1
      (if (;unlikely;)
        (i32.or
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (i64.ne (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 224)) (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x20000))
          (br $stop)))
      (local.set $local9 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local10 (i64.reinterpret_f64 (local.get $f11)))
      (local.set $local11
        (f64.lt (f64.reinterpret_i64 (local.get $local9)) (f64.reinterpret_i64 (local.get $local10))))
      (local.set $local12 (i64.extend_i32_u (local.get $local11)))
      (if (;unlikely;)
        (i32.eqz
          (i32.or
            (local.get $local11)
            (f64.ge (f64.reinterpret_i64 (local.get $local9)) (f64.reinterpret_i64 (local.get $local10)))))
        (then
          (local.set $local13
            (call $softfloat
              (i32.const 9)
              (i32.const 0)
              (i32.const 0)
              (local.get $local9)
              (local.get $local10)
              (i64.const 0)))
          (local.set $local12 (local.get $local13))))
      (local.set $x10 (local.get $local12))
      ;; 004: bne a0,zero,14
      (br_if $to_014 (i64.ne (local.get $x10) (i64.const 0)))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -3)))
      ;; 008: feq.d a1,fa0,fa1
      (if (;unlikely;)
        (i32.or
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (i64.ne (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 224)) (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x30008))
          (br $stop)))
      (local.set $local13 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local12 (i64.reinterpret_f64 (local.get $f11)))
      (local.set $local11
        (f64.eq (f64.reinterpret_i64 (local.get $local13)) (f64.reinterpret_i64 (local.get $local12))))
      (local.set $local10 (i64.extend_i32_u (local.get $local11)))
      (if (;unlikely;)
        (i32.eqz
          (i32.or
            (local.get $local11)
            (i32.or
              (f64.lt (f64.reinterpret_i64 (local.get $local13)) (f64.reinterpret_i64 (local.get $local12)))
              (f64.gt
                (f64.reinterpret_i64 (local.get $local13))
                (f64.reinterpret_i64 (local.get $local12))))))
        (then
          (local.set $local9
            (call $softfloat
              (i32.const 8)
              (i32.const 0)
              (i32.const 0)
              (local.get $local13)
              (local.get $local12)
              (i64.const 0)))
          (local.set $local10 (local.get $local9))))
      (local.set $x11 (local.get $local10))
      ;; 00c: fle.s a2,ft0,ft1
      (local.set $local9 (i64.reinterpret_f64 (local.get $f0)))
      (local.set $local10
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local9)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local9) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local12 (i64.reinterpret_f64 (local.get $f1)))
      (local.set $local13
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local12)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local12) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local18 (local.get $local10))
      (local.set $local19 (local.get $local13))
      (local.set $local11
        (f32.le
          (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local18)))
          (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local19)))))
      (local.set $local20 (i64.extend_i32_u (local.get $local11)))
      (if (;unlikely;)
        (i32.eqz
          (i32.or
            (local.get $local11)
            (f32.gt
              (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local18)))
              (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local19))))))
        (then
          (local.set $local21
            (call $softfloat
              (i32.const 10)
              (i32.const 1)
              (i32.const 0)
              (local.get $local18)
              (local.get $local19)
              (i64.const 0)))
          (local.set $local20 (local.get $local21))))
      (local.set $x12 (local.get $local20))
      ;; 010: fclass.d a3,fa0
      (local.set $local21 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local20
        (call $softfloat
          (i32.const 11)
          (i32.const 0)
          (i32.const 0)
          (local.get $local21)
          (i64.const 0)
          (i64.const 0)))
      (local.set $x13 (local.get $local20))
    ) ;; $to_014
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -2)))
      ;; 014: fmin.d fa0,fa0,fa1
      (if (;unlikely;)
        (i32.or
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (i64.ne (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 224)) (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x20014))
          (br $stop)))
      (local.set $local20 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local21 (i64.reinterpret_f64 (local.get $f11)))
      (local.set $local19
        (i64.reinterpret_f64
          (f64.min (f64.reinterpret_i64 (local.get $local20)) (f64.reinterpret_i64 (local.get $local21)))))
      (if (;unlikely;)
        (f64.ne (f64.reinterpret_i64 (local.get $local19)) (f64.reinterpret_i64 (local.get $local19)))
        (then
          (local.set $local18
            (call $softfloat
              (i32.const 6)
              (i32.const 0)
              (i32.const 0)
              (local.get $local20)
              (local.get $local21)
              (i64.const 0)))
          (local.set $local19 (local.get $local18))))
      (local.set $f10 (f64.reinterpret_i64 (local.get $local19)))
      ;; 018: jalr zero,0(ra)
      (local.set $local18 (i64.and (local.get $x1) (i64.const -2)))
      (local.set $target (local.get $local18))
      (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (br $chain)
    ) ;; $indirect
      (local.set $pend (i32.wrap_i64 (i64.sub (local.get $target) (local.get $page))))
      (local.set $local11
        (i32.load offset=16810048 (i32.shl (i32.and (local.get $pend) (i32.const 4094)) (i32.const 1))))
      (if (;likely;) (i32.eq (i32.and (local.get $local11) (i32.const 65535)) (i32.const 32775))
        (then
          (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 512))
            (then
              (local.set $stop_place (local.get $pend))
              (br $stop)))
          (local.set $pend (i32.add (i32.shr_u (local.get $local11) (i32.const 16)) (i32.const 1)))
          (br $dispatch)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (br $chain)
    )
    ) ;; $stop
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local25
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local18 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local25))
        (i64.or (local.get $local18) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local26
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local25))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local26) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local26) (i32.const 16))
              (local.get $local18)
              (i32.and (local.get $local26) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
