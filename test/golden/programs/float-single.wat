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
  (import "env" "softfloat" (func $softfloat (param i32 i32 i32 i64 i64 i64) (result i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $local8 i64) (local $local9 i64) (local $local10 i32)
    (local $f10 f64) (local $f11 f64) (local $local13 i64) (local $local14 i64)
    (local $local15 i64) (local $local16 i64) (local $local17 i64) (local $local18 i64)
    (local $f12 f64) (local $local20 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
    (local.set $f11 (f64.load offset=88 (i32.const 272 (;fa1;))))
    (local.set $f12 (f64.load offset=96 (i32.const 272 (;fa2;))))
    (block $chain (block $stop
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -5)))
      ;; 000: flw fa0,0(a0)
      (if (;unlikely;)
        (i32.or
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (i64.ne (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 224)) (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x50000))
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
            (i64.and (local.get $local8) (i64.const -4093))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local9
            (i64.load32_u
              (i32.add (i32.wrap_i64 (local.get $local8)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x50000))
          (br $stop)))
      (local.set $f10 (f64.reinterpret_i64 (i64.or (local.get $local9) (i64.const 0xffffffff00000000))))
      ;; 004: flw fa1,4(a0)
      (local.set $local9 (i64.add (local.get $x10) (i64.const 4)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4093))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local8
            (i64.load32_u
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x40004))
          (br $stop)))
      (local.set $f11 (f64.reinterpret_i64 (i64.or (local.get $local8) (i64.const 0xffffffff00000000))))
      ;; 008: fadd.s fa2,fa0,fa1
      (local.set $local8 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local9
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local8)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local8) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local13 (i64.reinterpret_f64 (local.get $f11)))
      (local.set $local14
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local13)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local13) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local15 (local.get $local9))
      (local.set $local16 (local.get $local14))
      (local.set $local17
        (i64.extend_i32_u
          (i32.reinterpret_f32
            (f32.add
              (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local15)))
              (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local16)))))))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (i32.ne
              (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local17) (i64.const 23))) (i32.const 255))
              (i32.const 255))
            (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1))))
        (then
          (local.set $local18
            (call $softfloat
              (i32.const 0)
              (i32.const 1)
              (i32.const 0)
              (local.get $local15)
              (local.get $local16)
              (i64.const 0)))
          (local.set $local17 (local.get $local18))))
      (local.set $f12 (f64.reinterpret_i64 (i64.or (local.get $local17) (i64.const 0xffffffff00000000))))
      ;; 00c: fmul.s fa2,fa2,fa0
      (local.set $local18 (i64.reinterpret_f64 (local.get $f12)))
      (local.set $local17
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local18)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local18) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local16 (i64.reinterpret_f64 (local.get $f10)))
      (local.set $local15
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local16)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local16) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local14 (local.get $local17))
      (local.set $local13 (local.get $local15))
      (local.set $local9
        (i64.extend_i32_u
          (i32.reinterpret_f32
            (f32.mul
              (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local14)))
              (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local13)))))))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (i32.lt_u
              (i32.add
                (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 23))) (i32.const 255))
                (i32.const -2))
              (i32.const 253))
            (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1))))
        (then
          (local.set $local8
            (call $softfloat
              (i32.const 2)
              (i32.const 1)
              (i32.const 0)
              (local.get $local14)
              (local.get $local13)
              (i64.const 0)))
          (local.set $local9 (local.get $local8))))
      (local.set $f12 (f64.reinterpret_i64 (i64.or (local.get $local9) (i64.const 0xffffffff00000000))))
      ;; 010: fsw fa2,8(a0)
      (local.set $local8 (i64.add (local.get $x10) (i64.const 8)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local8) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local10))
          (i64.or
            (i64.and (local.get $local8) (i64.const -4093))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (i64.store32
            (i32.add (i32.wrap_i64 (local.get $local8)) (i32.load offset=24 (local.get $local10)))
            (i64.reinterpret_f64 (local.get $f12))))
        (else
          (local.set $stop_place (i32.const 0x10010))
          (br $stop)))
      (local.set $target (i64.add (local.get $page) (i64.const 20)))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=88 (i32.const 272 (;fa1;)) (local.get $f11))
      (f64.store offset=96 (i32.const 272 (;fa2;)) (local.get $f12))
      (br $chain)
    ) ;; $stop
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=88 (i32.const 272 (;fa1;)) (local.get $f11))
      (f64.store offset=96 (i32.const 272 (;fa2;)) (local.get $f12))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local10
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local8 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local10))
        (i64.or (local.get $local8) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local20
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local10))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local20) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local20) (i32.const 16))
              (local.get $local8)
              (i32.and (local.get $local20) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
