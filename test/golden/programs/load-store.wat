;; Loads and stores of every width: the access is in the hit arm of the look-up in the software TLB.
;;
;; entry:  ; entered from outside
;;   000  00013503  ld a0,0(sp)
;;   004  00812583  lw a1,8(sp)
;;   008  00c16603  lwu a2,12(sp)
;;   00c  01011683  lh a3,16(sp)
;;   010  01215703  lhu a4,18(sp)
;;   014  01410783  lb a5,20(sp)
;;   018  01514803  lbu a6,21(sp)
;;   01c  00a13c23  sd a0,24(sp)
;;   020  02b12023  sw a1,32(sp)
;;   024  02c11223  sh a2,36(sp)
;;   028  02d10323  sb a3,38(sp)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x2 i64) (local $local8 i64) (local $local9 i64) (local $local10 i32)
    (local $x10 i64) (local $x11 i64) (local $x12 i64) (local $x13 i64) (local $x14 i64)
    (local $x15 i64) (local $x16 i64) (local $local18 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x2 (i64.load offset=16 (i32.const 0 (;sp;))))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (local.set $x14 (i64.load offset=112 (i32.const 0 (;a4;))))
    (local.set $x15 (i64.load offset=120 (i32.const 0 (;a5;))))
    (local.set $x16 (i64.load offset=128 (i32.const 0 (;a6;))))
    (block $chain (block $stop
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -11)))
      ;; 000: ld a0,0(sp)
      (local.set $local8 (local.get $x2))
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
          (local.set $stop_place (i32.const 0xb0000))
          (br $stop)))
      (local.set $x10 (local.get $local9))
      ;; 004: lw a1,8(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 8)))
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
            (i64.load32_s
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0xa0004))
          (br $stop)))
      (local.set $x11 (local.get $local8))
      ;; 008: lwu a2,12(sp)
      (local.set $local8 (i64.add (local.get $x2) (i64.const 12)))
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
          (local.set $stop_place (i32.const 0x90008))
          (br $stop)))
      (local.set $x12 (local.get $local9))
      ;; 00c: lh a3,16(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 16)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4095))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local8
            (i64.load16_s
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x8000c))
          (br $stop)))
      (local.set $x13 (local.get $local8))
      ;; 010: lhu a4,18(sp)
      (local.set $local8 (i64.add (local.get $x2) (i64.const 18)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local8) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local8) (i64.const -4095))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local9
            (i64.load16_u
              (i32.add (i32.wrap_i64 (local.get $local8)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x70010))
          (br $stop)))
      (local.set $x14 (local.get $local9))
      ;; 014: lb a5,20(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 20)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4096))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local8
            (i64.load8_s
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x60014))
          (br $stop)))
      (local.set $x15 (local.get $local8))
      ;; 018: lbu a6,21(sp)
      (local.set $local8 (i64.add (local.get $x2) (i64.const 21)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local8) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local8) (i64.const -4096))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local9
            (i64.load8_u
              (i32.add (i32.wrap_i64 (local.get $local8)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x50018))
          (br $stop)))
      (local.set $x16 (local.get $local9))
      ;; 01c: sd a0,24(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 24)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4089))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (i64.store
            (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10)))
            (local.get $x10)))
        (else
          (local.set $stop_place (i32.const 0x4001c))
          (br $stop)))
      ;; 020: sw a1,32(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 32)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4093))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (i64.store32
            (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10)))
            (local.get $x11)))
        (else
          (local.set $stop_place (i32.const 0x30020))
          (br $stop)))
      ;; 024: sh a2,36(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 36)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4095))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (i64.store16
            (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10)))
            (local.get $x12)))
        (else
          (local.set $stop_place (i32.const 0x20024))
          (br $stop)))
      ;; 028: sb a3,38(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 38)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4096))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (i64.store8
            (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10)))
            (local.get $x13)))
        (else
          (local.set $stop_place (i32.const 0x10028))
          (br $stop)))
      (local.set $target (i64.add (local.get $page) (i64.const 44)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (i64.store offset=128 (i32.const 0 (;a6;)) (local.get $x16))
      (br $chain)
    ) ;; $stop
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (i64.store offset=128 (i32.const 0 (;a6;)) (local.get $x16))
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
    (local.set $local9 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local10))
        (i64.or (local.get $local9) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local18
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local10))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local18) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local18) (i32.const 16))
              (local.get $local9)
              (i32.and (local.get $local18) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
