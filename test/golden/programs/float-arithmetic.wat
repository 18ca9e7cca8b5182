;; Floating point of double precision.
;;
;; entry:  ; entered from outside
;;   000  02c5f553  fadd.d fa0,fa1,fa2
;;   004  12d57553  fmul.d fa0,fa0,fa3
;;   008  0ab57753  fsub.d fa4,fa0,fa1
;;   00c  1aa777d3  fdiv.d fa5,fa4,fa0
;;   010  5a07f853  fsqrt.d fa6,fa5
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "softfloat" (func $softfloat (param i32 i32 i32 i64 i64 i64) (result i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $tlb i32) (local $read_generation i64)
    (local $write_generation i64) (local $f11 f64) (local $f12 f64) (local $local10 i32)
    (local $local11 i64) (local $local12 i64) (local $local13 i64) (local $local14 i64)
    (local $local15 i64) (local $f10 f64) (local $f13 f64) (local $f14 f64) (local $f15 f64)
    (local $f16 f64) (local $local21 i32)
    (block
      (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
      (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
      (local.set $read_generation (i64.load offset=888 (i32.const 0 (;readGeneration;))))
      (local.set $write_generation (i64.load offset=896 (i32.const 0 (;writeGeneration;))))
      (local.set $f11 (f64.load offset=88 (i32.const 272 (;fa1;))))
      (local.set $f12 (f64.load offset=96 (i32.const 272 (;fa2;))))
      (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
      (local.set $f13 (f64.load offset=104 (i32.const 272 (;fa3;))))
      (local.set $f14 (f64.load offset=112 (i32.const 272 (;fa4;))))
      (local.set $f15 (f64.load offset=120 (i32.const 272 (;fa5;))))
      (local.set $f16 (f64.load offset=128 (i32.const 272 (;fa6;))))
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
        (local.set $local10
          (i32.and
            (i32.wrap_i64 (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)))
            (i32.const 7)))
        (if (i32.gt_u (local.get $local10) (i32.const 4))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 5)))
            (local.set $target (local.get $page))
            (br $block_2)))
        (local.set $local11 (i64.reinterpret_f64 (local.get $f11)))
        (local.set $local12 (i64.reinterpret_f64 (local.get $f12)))
        (block $block_3
          (if
            (i32.and
              (i32.eqz (local.get $local10))
              (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
            (then
              (local.set $local14
                (i64.reinterpret_f64
                  (f64.add
                    (f64.reinterpret_i64 (local.get $local11))
                    (f64.reinterpret_i64 (local.get $local12)))))
              (if
                (i64.lt_u
                  (i64.sub
                    (i64.and (local.get $local14) (i64.const 0x7fffffffffffffff))
                    (i64.const 0x10000000000001))
                  (i64.const 0x7fdfffffffffffff))
                (then
                  (local.set $local13 (local.get $local14))
                  (br $block_3)))))
          (local.set $local15
            (call $softfloat
              (i32.const 0)
              (i32.const 0)
              (local.get $local10)
              (local.get $local11)
              (local.get $local12)
              (i64.const 0)))
          (local.set $local13 (local.get $local15))
        ) ;; $block_3
        (local.set $f10 (f64.reinterpret_i64 (local.get $local13)))
        (local.set $local10
          (i32.and
            (i32.wrap_i64 (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)))
            (i32.const 7)))
        (if (i32.gt_u (local.get $local10) (i32.const 4))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 4)))
            (local.set $target (i64.add (local.get $page) (i64.const 4)))
            (br $block_2)))
        (local.set $local15 (i64.reinterpret_f64 (local.get $f10)))
        (local.set $local14 (i64.reinterpret_f64 (local.get $f13)))
        (block $block_4
          (if
            (i32.and
              (i32.eqz (local.get $local10))
              (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
            (then
              (local.set $local12
                (i64.reinterpret_f64
                  (f64.mul
                    (f64.reinterpret_i64 (local.get $local15))
                    (f64.reinterpret_i64 (local.get $local14)))))
              (if
                (i64.lt_u
                  (i64.sub
                    (i64.and (local.get $local12) (i64.const 0x7fffffffffffffff))
                    (i64.const 0x10000000000001))
                  (i64.const 0x7fdfffffffffffff))
                (then
                  (local.set $local13 (local.get $local12))
                  (br $block_4)))))
          (local.set $local11
            (call $softfloat
              (i32.const 2)
              (i32.const 0)
              (local.get $local10)
              (local.get $local15)
              (local.get $local14)
              (i64.const 0)))
          (local.set $local13 (local.get $local11))
        ) ;; $block_4
        (local.set $f10 (f64.reinterpret_i64 (local.get $local13)))
        (local.set $local10
          (i32.and
            (i32.wrap_i64 (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)))
            (i32.const 7)))
        (if (i32.gt_u (local.get $local10) (i32.const 4))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 3)))
            (local.set $target (i64.add (local.get $page) (i64.const 8)))
            (br $block_2)))
        (local.set $local11 (i64.reinterpret_f64 (local.get $f10)))
        (local.set $local12 (i64.reinterpret_f64 (local.get $f11)))
        (block $block_5
          (if
            (i32.and
              (i32.eqz (local.get $local10))
              (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
            (then
              (local.set $local14
                (i64.reinterpret_f64
                  (f64.sub
                    (f64.reinterpret_i64 (local.get $local11))
                    (f64.reinterpret_i64 (local.get $local12)))))
              (if
                (i64.lt_u
                  (i64.sub
                    (i64.and (local.get $local14) (i64.const 0x7fffffffffffffff))
                    (i64.const 0x10000000000001))
                  (i64.const 0x7fdfffffffffffff))
                (then
                  (local.set $local13 (local.get $local14))
                  (br $block_5)))))
          (local.set $local15
            (call $softfloat
              (i32.const 1)
              (i32.const 0)
              (local.get $local10)
              (local.get $local11)
              (local.get $local12)
              (i64.const 0)))
          (local.set $local13 (local.get $local15))
        ) ;; $block_5
        (local.set $f14 (f64.reinterpret_i64 (local.get $local13)))
        (local.set $local10
          (i32.and
            (i32.wrap_i64 (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)))
            (i32.const 7)))
        (if (i32.gt_u (local.get $local10) (i32.const 4))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 2)))
            (local.set $target (i64.add (local.get $page) (i64.const 12)))
            (br $block_2)))
        (local.set $local15 (i64.reinterpret_f64 (local.get $f14)))
        (local.set $local14 (i64.reinterpret_f64 (local.get $f10)))
        (block $block_6
          (if
            (i32.and
              (i32.eqz (local.get $local10))
              (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
            (then
              (local.set $local12
                (i64.reinterpret_f64
                  (f64.div
                    (f64.reinterpret_i64 (local.get $local15))
                    (f64.reinterpret_i64 (local.get $local14)))))
              (if
                (i64.lt_u
                  (i64.sub
                    (i64.and (local.get $local12) (i64.const 0x7fffffffffffffff))
                    (i64.const 0x10000000000001))
                  (i64.const 0x7fdfffffffffffff))
                (then
                  (local.set $local13 (local.get $local12))
                  (br $block_6)))))
          (local.set $local11
            (call $softfloat
              (i32.const 3)
              (i32.const 0)
              (local.get $local10)
              (local.get $local15)
              (local.get $local14)
              (i64.const 0)))
          (local.set $local13 (local.get $local11))
        ) ;; $block_6
        (local.set $f15 (f64.reinterpret_i64 (local.get $local13)))
        (local.set $local10
          (i32.and
            (i32.wrap_i64 (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)))
            (i32.const 7)))
        (if (i32.gt_u (local.get $local10) (i32.const 4))
          (then
            (local.set $remaining (i32.add (local.get $remaining) (i32.const 1)))
            (local.set $target (i64.add (local.get $page) (i64.const 16)))
            (br $block_2)))
        (local.set $local11 (i64.reinterpret_f64 (local.get $f15)))
        (block $block_7
          (if
            (i32.and
              (i32.eqz (local.get $local10))
              (i32.wrap_i64 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 1))))
            (then
              (local.set $local13 (i64.reinterpret_f64 (f64.sqrt (f64.reinterpret_i64 (local.get $local11)))))
              (if
                (i64.lt_u
                  (i64.sub
                    (i64.and (local.get $local13) (i64.const 0x7fffffffffffffff))
                    (i64.const 0x10000000000001))
                  (i64.const 0x7fdfffffffffffff))
                (then
                  (local.set $local12 (local.get $local13))
                  (br $block_7)))))
          (local.set $local14
            (call $softfloat
              (i32.const 4)
              (i32.const 0)
              (local.get $local10)
              (local.get $local11)
              (i64.const 0)
              (i64.const 0)))
          (local.set $local12 (local.get $local14))
        ) ;; $block_7
        (local.set $f16 (f64.reinterpret_i64 (local.get $local12)))
        (local.set $target (i64.add (local.get $page) (i64.const 20)))
        (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
        (f64.store offset=112 (i32.const 272 (;fa4;)) (local.get $f14))
        (f64.store offset=120 (i32.const 272 (;fa5;)) (local.get $f15))
        (f64.store offset=128 (i32.const 272 (;fa6;)) (local.get $f16))
        (br $block)
      )
    ) ;; $block_2
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (f64.store offset=112 (i32.const 272 (;fa4;)) (local.get $f14))
      (f64.store offset=120 (i32.const 272 (;fa5;)) (local.get $f15))
      (f64.store offset=128 (i32.const 272 (;fa6;)) (local.get $f16))
      (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
      (return (local.get $remaining))
    ) ;; $block
    (local.set $local10
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local14 (i64.and (local.get $target) (i64.const -4096)))
    (if
      (i64.eq
        (i64.load (local.get $local10))
        (i64.or (local.get $local14) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local21
          (i32.load offset=32816
            (i32.add
              (i32.load offset=8 (local.get $local10))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (i32.and (local.get $local21) (i32.const 32768))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local21) (i32.const 16))
              (local.get $local14)
              (i32.and (local.get $local21) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
    (unreachable)
  )
)
