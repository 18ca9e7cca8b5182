;; Conversions between integers and floating point.
;;
;; entry:  ; entered from outside
;;   000  d2257553  fcvt.d.l fa0,a0
;;   004  d20585d3  fcvt.d.w fa1,a1
;;   008  40157653  fcvt.s.d fa2,fa0
;;   00c  420606d3  fcvt.d.s fa3,fa2
;;   010  c2251653  fcvt.l.d a2,fa0,rtz
;;   014  c20516d3  fcvt.w.d a3,fa0,rtz
;;   018  c2351753  fcvt.lu.d a4,fa0,rtz
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "softfloat" (func $softfloat (param i32 i32 i32 i64 i64 i64) (result i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $local8 i64) (local $local9 i64) (local $local10 i64)
    (local $f10 f64) (local $x11 i64) (local $f11 f64) (local $f12 f64) (local $local15 i64)
    (local $local16 i64) (local $f13 f64) (local $local18 f64) (local $local19 f64)
    (local $x12 i64) (local $x13 i64) (local $x14 i64) (local $local23 i32)
    (local $local24 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (local.set $x14 (i64.load offset=112 (i32.const 0 (;a4;))))
    (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
    (local.set $f11 (f64.load offset=88 (i32.const 272 (;fa1;))))
    (local.set $f12 (f64.load offset=96 (i32.const 272 (;fa2;))))
    (local.set $f13 (f64.load offset=104 (i32.const 272 (;fa3;))))
    (block $chain (block $stop
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -7)))
      ;; 000: fcvt.d.l fa0,a0
      (if (;unlikely;)
        (i32.or
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (i64.ne (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 224)) (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x70000))
          (br $stop)))
      (local.set $local8 (local.get $x10))
      (local.set $local9 (i64.reinterpret_f64 (f64.convert_i64_s (local.get $local8))))
      (if (;unlikely;)
        (i32.eqz
          (i32.or
            (i64.le_u (i64.add (local.get $local8) (i64.const 0x20000000000000)) (i64.const 0x40000000000000))
            (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1))))
        (then
          (local.set $local10
            (call $softfloat
              (i32.const 18)
              (i32.const 0)
              (i32.const 0)
              (local.get $local8)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local9 (local.get $local10))))
      (local.set $f10 (f64.reinterpret_i64 (local.get $local9)))
      ;; 004: fcvt.d.w fa1,a1
      (local.set $local10 (i64.extend32_s (local.get $x11)))
      (local.set $local9 (i64.reinterpret_f64 (f64.convert_i64_s (local.get $local10))))
      (local.set $f11 (f64.reinterpret_i64 (local.get $local9)))
      ;; 008: fcvt.s.d fa2,fa0
      (local.set $local9 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local10
        (i64.extend_i32_u (i32.reinterpret_f32 (f32.demote_f64 (f64.reinterpret_i64 (local.get $local9))))))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (i32.lt_u
              (i32.add
                (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local10) (i64.const 23))) (i32.const 255))
                (i32.const -2))
              (i32.const 253))
            (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1))))
        (then
          (local.set $local8
            (call $softfloat
              (i32.const 20)
              (i32.const 0)
              (i32.const 0)
              (local.get $local9)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local10 (local.get $local8))))
      (local.set $f12 (f64.reinterpret_i64 (i64.or (local.get $local10) (i64.const 0xffffffff00000000))))
      ;; 00c: fcvt.d.s fa3,fa2
      (local.set $local8 (i64.reinterpret_f64 (local.get $f12)))
      (local.set $local10
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local8)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local8) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local9 (local.get $local10))
      (local.set $local15
        (i64.reinterpret_f64 (f64.promote_f32 (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local9))))))
      (if (;unlikely;)
        (f32.ne
          (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local9)))
          (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local9))))
        (then
          (local.set $local16
            (call $softfloat
              (i32.const 21)
              (i32.const 1)
              (i32.const 0)
              (local.get $local9)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local15 (local.get $local16))))
      (local.set $f13 (f64.reinterpret_i64 (local.get $local15)))
      ;; 010: fcvt.l.d a2,fa0,rtz
      (local.set $local16 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local18 (f64.reinterpret_i64 (local.get $local16)))
      (local.set $local19 (f64.trunc (local.get $local18)))
      (local.set $local15 (i64.trunc_sat_f64_s (local.get $local19)))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (f64.lt (f64.abs (local.get $local19)) (f64.const 9223372036854776000))
            (i32.or
              (f64.eq (local.get $local19) (local.get $local18))
              (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1)))))
        (then
          (local.set $local9
            (call $softfloat
              (i32.const 14)
              (i32.const 0)
              (i32.const 1)
              (local.get $local16)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local15 (local.get $local9))))
      (local.set $x12 (local.get $local15))
      ;; 014: fcvt.w.d a3,fa0,rtz
      (local.set $local9 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local19 (f64.reinterpret_i64 (local.get $local9)))
      (local.set $local18 (f64.trunc (local.get $local19)))
      (local.set $local15 (i64.trunc_sat_f64_s (local.get $local18)))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (f64.lt (f64.abs (local.get $local18)) (f64.const 2147483648))
            (i32.or
              (f64.eq (local.get $local18) (local.get $local19))
              (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1)))))
        (then
          (local.set $local16
            (call $softfloat
              (i32.const 12)
              (i32.const 0)
              (i32.const 1)
              (local.get $local9)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local15 (local.get $local16))))
      (local.set $x13 (local.get $local15))
      ;; 018: fcvt.lu.d a4,fa0,rtz
      (local.set $local16 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local18 (f64.reinterpret_i64 (local.get $local16)))
      (local.set $local19 (f64.trunc (local.get $local18)))
      (local.set $local15 (i64.trunc_sat_f64_s (local.get $local19)))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (i32.and
              (f64.ge (local.get $local19) (f64.const 0))
              (f64.lt (local.get $local19) (f64.const 9223372036854776000)))
            (i32.or
              (f64.eq (local.get $local19) (local.get $local18))
              (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1)))))
        (then
          (local.set $local9
            (call $softfloat
              (i32.const 15)
              (i32.const 0)
              (i32.const 1)
              (local.get $local16)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local15 (local.get $local9))))
      (local.set $x14 (local.get $local15))
      (local.set $target (i64.add (local.get $page) (i64.const 28)))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=88 (i32.const 272 (;fa1;)) (local.get $f11))
      (f64.store offset=96 (i32.const 272 (;fa2;)) (local.get $f12))
      (f64.store offset=104 (i32.const 272 (;fa3;)) (local.get $f13))
      (br $chain)
    ) ;; $stop
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=88 (i32.const 272 (;fa1;)) (local.get $f11))
      (f64.store offset=96 (i32.const 272 (;fa2;)) (local.get $f12))
      (f64.store offset=104 (i32.const 272 (;fa3;)) (local.get $f13))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local23
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local9 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local23))
        (i64.or (local.get $local9) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local24
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local23))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local24) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local24) (i32.const 16))
              (local.get $local9)
              (i32.and (local.get $local24) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
