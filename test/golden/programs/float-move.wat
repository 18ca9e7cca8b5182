;; Signs, and bits moved between the register files, without arithmetic.
;;
;; entry:  ; entered from outside
;;   000  f2050553  fmv.d.x fa0,a0
;;   004  22a515d3  fsgnjn.d fa1,fa0,fa0
;;   008  22b5a653  fsgnjx.d fa2,fa1,fa1
;;   00c  22b506d3  fsgnj.d fa3,fa0,fa1
;;   010  e20685d3  fmv.x.d a1,fa3
;;   014  f0060053  fmv.w.x ft0,a2
;;   018  200010d3  fsgnjn.s ft1,ft0,ft0
;;   01c  e00086d3  fmv.x.w a3,ft1
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $f10 f64) (local $f11 f64) (local $f12 f64) (local $f13 f64)
    (local $x11 i64) (local $x12 i64) (local $f0 f64) (local $local15 i64)
    (local $local16 i64) (local $local17 i64) (local $local18 i64) (local $f1 f64)
    (local $x13 i64) (local $local21 i32) (local $local22 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
    (local.set $f11 (f64.load offset=88 (i32.const 272 (;fa1;))))
    (local.set $f12 (f64.load offset=96 (i32.const 272 (;fa2;))))
    (local.set $f13 (f64.load offset=104 (i32.const 272 (;fa3;))))
    (local.set $f0 (f64.load (i32.const 272 (;ft0;))))
    (local.set $f1 (f64.load offset=8 (i32.const 272 (;ft1;))))
    (block $chain (block $stop
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -8)))
      ;; 000: fmv.d.x fa0,a0
      (if (;unlikely;)
        (i32.or
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (i64.ne (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 224)) (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x80000))
          (br $stop)))
      (local.set $f10 (f64.reinterpret_i64 (local.get $x10)))
      ;; 004: fsgnjn.d fa1,fa0,fa0
      (local.set $f11
        (f64.reinterpret_i64
          (i64.or
            (i64.and (i64.reinterpret_f64 (local.get $f10)) (i64.const 0x7fffffffffffffff))
            (i64.xor
              (i64.and (i64.reinterpret_f64 (local.get $f10)) (i64.const 0x8000000000000000))
              (i64.const 0x8000000000000000)))))
      ;; 008: fsgnjx.d fa2,fa1,fa1
      (local.set $f12
        (f64.reinterpret_i64
          (i64.xor
            (i64.reinterpret_f64 (local.get $f11))
            (i64.and (i64.reinterpret_f64 (local.get $f11)) (i64.const 0x8000000000000000)))))
      ;; 00c: fsgnj.d fa3,fa0,fa1
      (local.set $f13
        (f64.reinterpret_i64
          (i64.or
            (i64.and (i64.reinterpret_f64 (local.get $f10)) (i64.const 0x7fffffffffffffff))
            (i64.and (i64.reinterpret_f64 (local.get $f11)) (i64.const 0x8000000000000000)))))
      ;; 010: fmv.x.d a1,fa3
      (local.set $x11 (i64.reinterpret_f64 (local.get $f13)))
      ;; 014: fmv.w.x ft0,a2
      (local.set $f0
        (f64.reinterpret_i64
          (i64.or (i64.extend_i32_u (i32.wrap_i64 (local.get $x12))) (i64.const 0xffffffff00000000))))
      ;; 018: fsgnjn.s ft1,ft0,ft0
      (local.set $local15 (i64.reinterpret_f64 (local.get $f0)))
      (local.set $local16
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local15)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local15) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $local17 (i64.reinterpret_f64 (local.get $f0)))
      (local.set $local18
        (select
          (i64.extend_i32_u (i32.wrap_i64 (local.get $local17)))
          (i64.const 0x7fc00000)
          (i64.eq (i64.shr_u (local.get $local17) (i64.const 32)) (i64.const 0xffffffff))))
      (local.set $f1
        (f64.reinterpret_i64
          (i64.or
            (i64.or
              (i64.and (local.get $local16) (i64.const 0x7fffffff))
              (i64.xor (i64.and (local.get $local18) (i64.const 0x80000000)) (i64.const 0x80000000)))
            (i64.const 0xffffffff00000000))))
      ;; 01c: fmv.x.w a3,ft1
      (local.set $x13 (i64.extend32_s (i64.reinterpret_f64 (local.get $f1))))
      (local.set $target (i64.add (local.get $page) (i64.const 32)))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (f64.store (i32.const 272 (;ft0;)) (local.get $f0))
      (f64.store offset=8 (i32.const 272 (;ft1;)) (local.get $f1))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=88 (i32.const 272 (;fa1;)) (local.get $f11))
      (f64.store offset=96 (i32.const 272 (;fa2;)) (local.get $f12))
      (f64.store offset=104 (i32.const 272 (;fa3;)) (local.get $f13))
      (br $chain)
    ) ;; $stop
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (f64.store (i32.const 272 (;ft0;)) (local.get $f0))
      (f64.store offset=8 (i32.const 272 (;ft1;)) (local.get $f1))
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
    (local.set $local21
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local18 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local21))
        (i64.or (local.get $local18) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local22
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local21))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local22) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local22) (i32.const 16))
              (local.get $local18)
              (i32.and (local.get $local22) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
