;; Products, of which the high halves take more than one multiplication.
;;
;; entry:  ; entered from outside
;;   000  02c58533  mul a0,a1,a2
;;   004  02c586bb  mulw a3,a1,a2
;;   008  02c59733  mulh a4,a1,a2
;;   00c  02c5b7b3  mulhu a5,a1,a2
;;   010  02c5a833  mulhsu a6,a1,a2
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x11 i64) (local $x12 i64) (local $x10 i64) (local $x13 i64) (local $local11 i64)
    (local $local12 i64) (local $local13 i64) (local $local14 i64) (local $local15 i64)
    (local $local16 i64) (local $local17 i64) (local $x14 i64) (local $x15 i64)
    (local $x16 i64) (local $local21 i32) (local $local22 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (local.set $x14 (i64.load offset=112 (i32.const 0 (;a4;))))
    (local.set $x15 (i64.load offset=120 (i32.const 0 (;a5;))))
    (local.set $x16 (i64.load offset=128 (i32.const 0 (;a6;))))
    (local.set $pend (i32.const 0))
    (local.set $remaining (i32.add (local.get $remaining) (i32.const -5)))
    ;; 000: mul a0,a1,a2
    (local.set $x10 (i64.mul (local.get $x11) (local.get $x12)))
    ;; 004: mulw a3,a1,a2
    (local.set $x13
      (i64.extend_i32_s (i32.mul (i32.wrap_i64 (local.get $x11)) (i32.wrap_i64 (local.get $x12)))))
    ;; 008: mulh a4,a1,a2
    (local.set $local11 (local.get $x11))
    (local.set $local12 (local.get $x12))
    (local.set $local13 (i64.extend_i32_u (i32.wrap_i64 (local.get $local11))))
    (local.set $local14 (i64.extend_i32_u (i32.wrap_i64 (local.get $local12))))
    (local.set $local15 (i64.shr_s (local.get $local11) (i64.const 32)))
    (local.set $local16 (i64.shr_s (local.get $local12) (i64.const 32)))
    (local.set $local17
      (i64.add
        (i64.mul (local.get $local15) (local.get $local14))
        (i64.shr_u (i64.mul (local.get $local13) (local.get $local14)) (i64.const 32))))
    (local.set $x14
      (i64.add
        (i64.add
          (i64.mul (local.get $local15) (local.get $local16))
          (i64.shr_s (local.get $local17) (i64.const 32)))
        (i64.shr_s
          (i64.add
            (i64.mul (local.get $local13) (local.get $local16))
            (i64.extend_i32_u (i32.wrap_i64 (local.get $local17))))
          (i64.const 32))))
    ;; 00c: mulhu a5,a1,a2
    (local.set $local17 (local.get $x11))
    (local.set $local16 (local.get $x12))
    (local.set $local15 (i64.extend_i32_u (i32.wrap_i64 (local.get $local17))))
    (local.set $local14 (i64.extend_i32_u (i32.wrap_i64 (local.get $local16))))
    (local.set $local13 (i64.shr_u (local.get $local17) (i64.const 32)))
    (local.set $local12 (i64.shr_u (local.get $local16) (i64.const 32)))
    (local.set $local11
      (i64.add
        (i64.mul (local.get $local13) (local.get $local14))
        (i64.shr_u (i64.mul (local.get $local15) (local.get $local14)) (i64.const 32))))
    (local.set $x15
      (i64.add
        (i64.add
          (i64.mul (local.get $local13) (local.get $local12))
          (i64.shr_u (local.get $local11) (i64.const 32)))
        (i64.shr_u
          (i64.add
            (i64.mul (local.get $local15) (local.get $local12))
            (i64.extend_i32_u (i32.wrap_i64 (local.get $local11))))
          (i64.const 32))))
    ;; 010: mulhsu a6,a1,a2
    (local.set $local11 (local.get $x11))
    (local.set $local12 (local.get $x12))
    (local.set $local13 (i64.extend_i32_u (i32.wrap_i64 (local.get $local11))))
    (local.set $local14 (i64.extend_i32_u (i32.wrap_i64 (local.get $local12))))
    (local.set $local15 (i64.shr_s (local.get $local11) (i64.const 32)))
    (local.set $local16 (i64.shr_u (local.get $local12) (i64.const 32)))
    (local.set $local17
      (i64.add
        (i64.mul (local.get $local15) (local.get $local14))
        (i64.shr_u (i64.mul (local.get $local13) (local.get $local14)) (i64.const 32))))
    (local.set $x16
      (i64.add
        (i64.add
          (i64.mul (local.get $local15) (local.get $local16))
          (i64.shr_s (local.get $local17) (i64.const 32)))
        (i64.shr_u
          (i64.add
            (i64.mul (local.get $local13) (local.get $local16))
            (i64.extend_i32_u (i32.wrap_i64 (local.get $local17))))
          (i64.const 32))))
    (local.set $target (i64.add (local.get $page) (i64.const 20)))
    (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
    (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
    (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
    (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
    (i64.store offset=128 (i32.const 0 (;a6;)) (local.get $x16))
    (local.set $local21
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local17 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local21))
        (i64.or (local.get $local17) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
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
              (local.get $local17)
              (i32.and (local.get $local22) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
