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
    (local $pend i32) (local $target i64) (local $tlb i32) (local $read_generation i64)
    (local $write_generation i64) (local $x10 i64) (local $local9 i32) (local $local10 i64)
    (local $local11 i64) (local $local12 i64) (local $f10 f64) (local $x11 i64)
    (local $f11 f64) (local $local16 i64) (local $f12 f64) (local $local18 i64)
    (local $f13 f64) (local $x12 i64) (local $x13 i64) (local $x14 i64) (local $local23 i32)
    (block
      (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
      (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
      (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
      (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
      (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
      (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
      (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
      (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
      (local.set $x14 (i64.load offset=112 (i32.const 0 (;a4;))))
      (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
      (local.set $f11 (f64.load offset=88 (i32.const 272 (;fa1;))))
      (local.set $f12 (f64.load offset=96 (i32.const 272 (;fa2;))))
      (local.set $f13 (f64.load offset=104 (i32.const 272 (;fa3;))))
    )
    (block $block (block $block_2
      (loop
        (block)
        (local.set $pend (i32.const 0))
        (if (i32.lt_u (local.get $remaining) (i32.const 7))
          (then
            (local.set $remaining (local.get $remaining))
            (local.set $target (local.get $page))
            (br $block_2)))
        (local.set $remaining (i32.sub (local.get $remaining) (i32.const 7)))
        (if
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 7)))
            (local.set $target (local.get $page))
            (br $block_2)))
        (local.set $local9
          (i32.and
            (i32.wrap_i64 (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)))
            (i32.const 7)))
        (if (i32.gt_u (local.get $local9) (i32.const 4))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 7)))
            (local.set $target (local.get $page))
            (br $block_2)))
        (local.set $local10 (local.get $x10))
        (block $block_3
          (if
            (i32.and
              (i32.eqz (local.get $local9))
              (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
            (then
              (local.set $local11 (i64.reinterpret_f64 (f64.convert_i64_s (local.get $local10))))
              (br $block_3)))
          (local.set $local12
            (call $softfloat
              (i32.const 18)
              (i32.const 0)
              (local.get $local9)
              (local.get $local10)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local11 (local.get $local12))
        ) ;; $block_3
        (local.set $f10 (f64.reinterpret_i64 (local.get $local11)))
        (local.set $local12 (i64.extend32_s (local.get $x11)))
        (block $block_4
          (local.set $local11 (i64.reinterpret_f64 (f64.convert_i64_s (local.get $local12))))
          (br $block_4)
          (local.set $local10
            (call $softfloat
              (i32.const 16)
              (i32.const 0)
              (i32.const 0)
              (local.get $local12)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local11 (local.get $local10))
        ) ;; $block_4
        (local.set $f11 (f64.reinterpret_i64 (local.get $local11)))
        (local.set $local9
          (i32.and
            (i32.wrap_i64 (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)))
            (i32.const 7)))
        (if (i32.gt_u (local.get $local9) (i32.const 4))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 5)))
            (local.set $target (i64.add (local.get $page) (i64.const 8)))
            (br $block_2)))
        (local.set $local10 (i64.reinterpret_f64 (local.get $f10)))
        (block $block_5
          (if
            (i32.and
              (i32.eqz (local.get $local9))
              (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
            (then
              (local.set $local12
                (i64.extend_i32_u
                  (i32.reinterpret_f32 (f32.demote_f64 (f64.reinterpret_i64 (local.get $local10))))))
              (if
                (i64.lt_u
                  (i64.sub (i64.and (local.get $local12) (i64.const 0x7fffffff)) (i64.const 0x800001))
                  (i64.const 0x7effffff))
                (then
                  (local.set $local11 (local.get $local12))
                  (br $block_5)))))
          (local.set $local16
            (call $softfloat
              (i32.const 20)
              (i32.const 0)
              (local.get $local9)
              (local.get $local10)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local11 (local.get $local16))
        ) ;; $block_5
        (local.set $f12 (f64.reinterpret_i64 (i64.or (local.get $local11) (i64.const 0xffffffff00000000))))
        (local.set $local16 (i64.reinterpret_f64 (local.get $f12)))
        (local.set $local12
          (select
            (i64.and (local.get $local16) (i64.const 0xffffffff))
            (i64.const 0x7fc00000)
            (i64.eq (i64.shr_u (local.get $local16) (i64.const 32)) (i64.const 0xffffffff))))
        (local.set $local11 (local.get $local12))
        (block $block_6
          (if
            (f32.eq
              (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local11)))
              (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local11))))
            (then
              (local.set $local10
                (i64.reinterpret_f64
                  (f64.promote_f32 (f32.reinterpret_i32 (i32.wrap_i64 (local.get $local11))))))
              (br $block_6)))
          (local.set $local18
            (call $softfloat
              (i32.const 21)
              (i32.const 1)
              (i32.const 0)
              (local.get $local11)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local10 (local.get $local18))
        ) ;; $block_6
        (local.set $f13 (f64.reinterpret_i64 (local.get $local10)))
        (local.set $local18 (i64.reinterpret_f64 (local.get $f10)))
        (block $block_7
          (if
            (i32.and
              (i32.and
                (f64.lt (f64.abs (f64.reinterpret_i64 (local.get $local18))) (f64.const 4611686018427388000))
                (i32.const 1))
              (i32.or
                (i32.and
                  (i32.const 1)
                  (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
                (f64.eq
                  (f64.trunc (f64.reinterpret_i64 (local.get $local18)))
                  (f64.reinterpret_i64 (local.get $local18)))))
            (then
              (local.set $local10 (i64.trunc_f64_s (f64.trunc (f64.reinterpret_i64 (local.get $local18)))))
              (br $block_7)))
          (local.set $local11
            (call $softfloat
              (i32.const 14)
              (i32.const 0)
              (i32.const 1)
              (local.get $local18)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local10 (local.get $local11))
        ) ;; $block_7
        (local.set $x12 (local.get $local10))
        (local.set $local11 (i64.reinterpret_f64 (local.get $f10)))
        (block $block_8
          (if
            (i32.and
              (i32.and
                (f64.lt (f64.abs (f64.reinterpret_i64 (local.get $local11))) (f64.const 2147483647))
                (i32.const 1))
              (i32.or
                (i32.and
                  (i32.const 1)
                  (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
                (f64.eq
                  (f64.trunc (f64.reinterpret_i64 (local.get $local11)))
                  (f64.reinterpret_i64 (local.get $local11)))))
            (then
              (local.set $local10 (i64.trunc_f64_s (f64.trunc (f64.reinterpret_i64 (local.get $local11)))))
              (br $block_8)))
          (local.set $local18
            (call $softfloat
              (i32.const 12)
              (i32.const 0)
              (i32.const 1)
              (local.get $local11)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local10 (local.get $local18))
        ) ;; $block_8
        (local.set $x13 (local.get $local10))
        (local.set $local18 (i64.reinterpret_f64 (local.get $f10)))
        (block
          (local.set $local11
            (call $softfloat
              (i32.const 15)
              (i32.const 0)
              (i32.const 1)
              (local.get $local18)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local10 (local.get $local11))
        )
        (local.set $x14 (local.get $local10))
        (local.set $target (i64.add (local.get $page) (i64.const 28)))
        (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
        (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
        (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
        (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
        (f64.store offset=88 (i32.const 272 (;fa1;)) (local.get $f11))
        (f64.store offset=96 (i32.const 272 (;fa2;)) (local.get $f12))
        (f64.store offset=104 (i32.const 272 (;fa3;)) (local.get $f13))
        (br $block)
      )
    ) ;; $block_2
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=88 (i32.const 272 (;fa1;)) (local.get $f11))
      (f64.store offset=96 (i32.const 272 (;fa2;)) (local.get $f12))
      (f64.store offset=104 (i32.const 272 (;fa3;)) (local.get $f13))
      (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
      (return (local.get $remaining))
    ) ;; $block
    (local.set $local9
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local11 (i64.and (local.get $target) (i64.const -4096)))
    (if
      (i64.eq
        (i64.load (local.get $local9))
        (i64.or (local.get $local11) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local23
          (i32.load offset=32816
            (i32.add
              (i32.load offset=8 (local.get $local9))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (i32.and (local.get $local23) (i32.const 32768))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local23) (i32.const 16))
              (local.get $local11)
              (i32.and (local.get $local23) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
    (unreachable)
  )
)
