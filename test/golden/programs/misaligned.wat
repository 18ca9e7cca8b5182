;; An address that is not a multiple of the size: its low bits match no tag, so that the slow path serves it.
;;
;; entry:  ; entered from outside
;;   000  00110513  addi a0,sp,1
;;   004  00053583  ld a1,0(a0)
;;   008  00b531a3  sd a1,3(a0)
;;   00c  00051603  lh a2,0(a0)
;;   010  00054683  lbu a3,0(a0)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x2 i64) (local $x10 i64) (local $local9 i64) (local $local10 i64)
    (local $local11 i32) (local $x11 i64) (local $x12 i64) (local $x13 i64)
    (local $local15 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x2 (i64.load offset=16 (i32.const 0 (;sp;))))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (block $chain (block $stop
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -5)))
      ;; 000: addi a0,sp,1
      (local.set $x10 (i64.add (local.get $x2) (i64.const 1)))
      ;; 004: ld a1,0(a0)
      (local.set $local9 (local.get $x10))
      (local.set $local11
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local11))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local10
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local11))))))
        (else
          (local.set $stop_place (i32.const 0x40004))
          (br $stop)))
      (local.set $x11 (local.get $local10))
      ;; 008: sd a1,3(a0)
      (local.set $local10 (i64.add (local.get $x10) (i64.const 3)))
      (local.set $local11
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local10) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local11))
          (i64.or
            (i64.and (local.get $local10) (i64.const -4089))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (i64.store
            (i32.add (i32.wrap_i64 (local.get $local10)) (i32.load offset=24 (local.get $local11)))
            (local.get $x11)))
        (else
          (local.set $stop_place (i32.const 0x30008))
          (br $stop)))
      ;; 00c: lh a2,0(a0)
      (local.set $local10 (local.get $x10))
      (local.set $local11
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local10) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local11))
          (i64.or
            (i64.and (local.get $local10) (i64.const -4095))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local9
            (i64.load16_s
              (i32.add (i32.wrap_i64 (local.get $local10)) (i32.load offset=24 (local.get $local11))))))
        (else
          (local.set $stop_place (i32.const 0x2000c))
          (br $stop)))
      (local.set $x12 (local.get $local9))
      ;; 010: lbu a3,0(a0)
      (local.set $local9 (local.get $x10))
      (local.set $local11
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local11))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4096))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local10
            (i64.load8_u
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local11))))))
        (else
          (local.set $stop_place (i32.const 0x10010))
          (br $stop)))
      (local.set $x13 (local.get $local10))
      (local.set $target (i64.add (local.get $page) (i64.const 20)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (br $chain)
    ) ;; $stop
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local11
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local10 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local11))
        (i64.or (local.get $local10) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local15
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local11))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local15) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local15) (i32.const 16))
              (local.get $local10)
              (i32.and (local.get $local15) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
