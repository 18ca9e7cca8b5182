;; Signed loads whose values are extended again at once, as compilers for word types write them.
;;
;; entry:  ; entered from outside
;;   000  0005a503  lw a0,0(a1)
;;   004  0005051b  addiw a0,a0,0
;;   008  0015051b  addiw a0,a0,1
;;   00c  00a5a023  sw a0,0(a1)
;;   010  0045c603  lbu a2,4(a1)
;;   014  0ff67613  andi a2,a2,255
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x11 i64) (local $local8 i64) (local $local9 i64) (local $local10 i32)
    (local $x10 i64) (local $x12 i64) (local $local13 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (block $chain (block $stop
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -6)))
      ;; 000: lw a0,0(a1)
      (local.set $local8 (local.get $x11))
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
            (i64.load32_s
              (i32.add (i32.wrap_i64 (local.get $local8)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x60000))
          (br $stop)))
      (local.set $x10 (local.get $local9))
      ;; 004: addiw a0,a0,0
      (local.set $x10 (i64.extend32_s (local.get $x10)))
      ;; 008: addiw a0,a0,1
      (local.set $x10 (i64.extend_i32_s (i32.add (i32.wrap_i64 (local.get $x10)) (i32.const 1))))
      ;; 00c: sw a0,0(a1)
      (local.set $local9 (local.get $x11))
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
            (local.get $x10)))
        (else
          (local.set $stop_place (i32.const 0x3000c))
          (br $stop)))
      ;; 010: lbu a2,4(a1)
      (local.set $local9 (i64.add (local.get $x11) (i64.const 4)))
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
            (i64.load8_u
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x20010))
          (br $stop)))
      (local.set $x12 (local.get $local8))
      ;; 014: andi a2,a2,255
      (local.set $x12 (i64.and (local.get $x12) (i64.const 255)))
      (local.set $target (i64.add (local.get $page) (i64.const 24)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (br $chain)
    ) ;; $stop
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
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
        (local.set $local13
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local10))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local13) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local13) (i32.const 16))
              (local.get $local8)
              (i32.and (local.get $local13) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
