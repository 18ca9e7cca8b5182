;; Multiply and add, rounded once.
;;
;; entry:  ; entered from outside
;;   000  52c5f543  fmadd.d fa0,fa1,fa2,fa0
;;   004  52e6f54b  fnmsub.d fa0,fa3,fa4,fa0
;;   008  1820f043  fmadd.s ft0,ft1,ft2,ft3
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "softfloat" (func $softfloat (param i32 i32 i32 i64 i64 i64) (result i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $f11 f64) (local $f12 f64) (local $f10 f64) (local $local10 i64)
    (local $local11 i64) (local $local12 i64) (local $local13 i64) (local $local14 i64)
    (local $f13 f64) (local $f14 f64) (local $f1 f64) (local $f2 f64) (local $f3 f64)
    (local $local20 i64) (local $local21 i64) (local $local22 i64) (local $local23 i64)
    (local $local24 i64) (local $local25 i64) (local $f0 f64) (local $local27 i32)
    (local $local28 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $f11 (f64.load offset=88 (i32.const 272 (;fa1;))))
    (local.set $f12 (f64.load offset=96 (i32.const 272 (;fa2;))))
    (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
    (local.set $f13 (f64.load offset=104 (i32.const 272 (;fa3;))))
    (local.set $f14 (f64.load offset=112 (i32.const 272 (;fa4;))))
    (local.set $f1 (f64.load offset=8 (i32.const 272 (;ft1;))))
    (local.set $f2 (f64.load offset=16 (i32.const 272 (;ft2;))))
    (local.set $f3 (f64.load offset=24 (i32.const 272 (;ft3;))))
    (local.set $f0 (f64.load (i32.const 272 (;ft0;))))
    (block $chain (block $stop
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -3)))
      ;; 000: fmadd.d fa0,fa1,fa2,fa0
      (if (;unlikely;)
        (i32.or
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (i64.ne (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 224)) (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x30000))
          (br $stop)))
      (local.set $local10 (i64.reinterpret_f64 (local.get $f11)))
      (local.set $local11 (i64.reinterpret_f64 (local.get $f12)))
      (local.set $local12 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local13
        (i64.reinterpret_f64
          (f64x2.extract_lane 0
            (f64x2.relaxed_madd
              (f64x2.splat (f64.reinterpret_i64 (local.get $local10)))
              (f64x2.splat (f64.reinterpret_i64 (local.get $local11)))
              (f64x2.splat (f64.reinterpret_i64 (local.get $local12)))))))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (i32.lt_u
              (i32.add
                (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local13) (i64.const 52))) (i32.const 2047))
                (i32.const -2))
              (i32.const 2045))
            (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1))))
        (then
          (local.set $local14
            (call $softfloat
              (i32.const 5)
              (i32.const 0)
              (i32.const 0)
              (local.get $local10)
              (local.get $local11)
              (local.get $local12)))
          (local.set $local13 (local.get $local14))))
      (local.set $f10 (f64.reinterpret_i64 (local.get $local13)))
      ;; 004: fnmsub.d fa0,fa3,fa4,fa0
      (local.set $local14 (i64.xor (i64.reinterpret_f64 (local.get $f13)) (i64.const 0x8000000000000000)))
      (local.set $local13 (i64.reinterpret_f64 (local.get $f14)))
      (local.set $local12 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local11
        (i64.reinterpret_f64
          (f64x2.extract_lane 0
            (f64x2.relaxed_madd
              (f64x2.splat (f64.reinterpret_i64 (local.get $local14)))
              (f64x2.splat (f64.reinterpret_i64 (local.get $local13)))
              (f64x2.splat (f64.reinterpret_i64 (local.get $local12)))))))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (i32.lt_u
              (i32.add
                (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local11) (i64.const 52))) (i32.const 2047))
                (i32.const -2))
              (i32.const 2045))
            (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1))))
        (then
          (local.set $local10
            (call $softfloat
              (i32.const 5)
              (i32.const 0)
              (i32.const 0)
              (local.get $local14)
              (local.get $local13)
              (local.get $local12)))
          (local.set $local11 (local.get $local10))))
      (local.set $f10 (f64.reinterpret_i64 (local.get $local11)))
      ;; 008: fmadd.s ft0,ft1,ft2,ft3
      (local.set $local10 (i64.reinterpret_f64 (local.get $f1)))
      (local.set $local11
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local10)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local10) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local12 (i64.reinterpret_f64 (local.get $f2)))
      (local.set $local13
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local12)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local12) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local14 (i64.reinterpret_f64 (local.get $f3)))
      (local.set $local20
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local14)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local14) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local21 (local.get $local11))
      (local.set $local22 (local.get $local13))
      (local.set $local23 (local.get $local20))
      (local.set $local24
        (i64.extend_i32_u
          (i32.reinterpret_f32
            (f32x4.extract_lane 0
              (f32x4.relaxed_madd
                (f32x4.splat (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local21))))
                (f32x4.splat (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local22))))
                (f32x4.splat (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local23)))))))))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (i32.lt_u
              (i32.add
                (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local24) (i64.const 23))) (i32.const 255))
                (i32.const -2))
              (i32.const 253))
            (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1))))
        (then
          (local.set $local25
            (call $softfloat
              (i32.const 5)
              (i32.const 1)
              (i32.const 0)
              (local.get $local21)
              (local.get $local22)
              (local.get $local23)))
          (local.set $local24 (local.get $local25))))
      (local.set $f0 (f64.reinterpret_i64 (i64.or (local.get $local24) (i64.const 0xffffffff00000000))))
      (local.set $target (i64.add (local.get $page) (i64.const 12)))
      (f64.store (i32.const 272 (;ft0;)) (local.get $f0))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (br $chain)
    ) ;; $stop
      (f64.store (i32.const 272 (;ft0;)) (local.get $f0))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local27
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local25 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local27))
        (i64.or (local.get $local25) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local28
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local27))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local28) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local28) (i32.const 16))
              (local.get $local25)
              (i32.and (local.get $local28) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
