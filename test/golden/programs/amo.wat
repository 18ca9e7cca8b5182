;; Atomic memory operations.
;;
;; entry:  ; entered from outside
;;   000  00b6252f  amoadd.w a0,a1,(a2)
;;   004  0eb636af  amoswap.d.aqrl a3,a1,(a2)
;;   008  40e6302f  amoor.d zero,a4,(a2)
;;   00c  a0b627af  amomax.w a5,a1,(a2)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "storedTables" (func $storedTables))
  (import "env" "atomicHost" (func $atomicHost (param i64 i32 i32) (result i32)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x11 i64) (local $local8 i64) (local $x12 i64) (local $local10 i64)
    (local $local11 i32) (local $local12 i32) (local $local13 i32) (local $local14 i64)
    (local $local15 i64) (local $x10 i64) (local $x13 i64) (local $x14 i64) (local $x15 i64)
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
    (block $chain (block $stop
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -4)))
      ;; 000: amoadd.w a0,a1,(a2)
      (local.set $local8 (i64.extend32_s (local.get $x11)))
      (local.set $local10 (local.get $x12))
      (local.set $local12
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local10) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local12))
          (i64.or
            (i64.and (local.get $local10) (i64.const -4093))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (local.set $local11
            (i32.add (i32.wrap_i64 (local.get $local10)) (i32.load offset=24 (local.get $local12)))))
        (else
          (local.set $local13 (call $atomicHost (local.get $local10) (i32.const 4) (i32.const 1)))
          (local.set $local11 (local.get $local13))
          (if (;unlikely;)
            (i32.or (i32.eqz (local.get $local11)) (i32.load offset=848 (i32.const 0 (;event;))))
            (then
              (local.set $stop_place (i32.const 0x40000))
              (br $stop)))))
      (local.set $local14 (i64.load32_s (local.get $local11)))
      (local.set $local15 (local.get $local14))
      (i64.store32 (local.get $local11) (i64.add (local.get $local15) (local.get $local8)))
      (local.set $x10 (local.get $local14))
      (if (;unlikely;) (i32.load offset=868 (i32.const 0 (;refetch;)))
        (then
          (call $storedTables)
          (if (;unlikely;) (i32.load offset=848 (i32.const 0 (;event;)))
            (then
              (local.set $stop_place
                (select
                  (i32.const 0x30004)
                  (i32.const 0x40000)
                  (i32.eq (i32.load offset=848 (i32.const 0 (;event;))) (i32.const 3))))
              (br $stop)))))
      ;; 004: amoswap.d.aqrl a3,a1,(a2)
      (local.set $local15 (local.get $x11))
      (local.set $local14 (local.get $x12))
      (local.set $local12
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local14) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local12))
          (i64.or
            (i64.and (local.get $local14) (i64.const -4089))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (local.set $local13
            (i32.add (i32.wrap_i64 (local.get $local14)) (i32.load offset=24 (local.get $local12)))))
        (else
          (local.set $local11 (call $atomicHost (local.get $local14) (i32.const 8) (i32.const 1)))
          (local.set $local13 (local.get $local11))
          (if (;unlikely;)
            (i32.or (i32.eqz (local.get $local13)) (i32.load offset=848 (i32.const 0 (;event;))))
            (then
              (local.set $stop_place (i32.const 0x30004))
              (br $stop)))))
      (local.set $local10 (i64.load (local.get $local13)))
      (local.set $local8 (local.get $local10))
      (i64.store (local.get $local13) (local.get $local15))
      (local.set $x13 (local.get $local10))
      (if (;unlikely;) (i32.load offset=868 (i32.const 0 (;refetch;)))
        (then
          (call $storedTables)
          (if (;unlikely;) (i32.load offset=848 (i32.const 0 (;event;)))
            (then
              (local.set $stop_place
                (select
                  (i32.const 0x20008)
                  (i32.const 0x30004)
                  (i32.eq (i32.load offset=848 (i32.const 0 (;event;))) (i32.const 3))))
              (br $stop)))))
      ;; 008: amoor.d zero,a4,(a2)
      (local.set $local8 (local.get $x14))
      (local.set $local10 (local.get $x12))
      (local.set $local12
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local10) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local12))
          (i64.or
            (i64.and (local.get $local10) (i64.const -4089))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (local.set $local11
            (i32.add (i32.wrap_i64 (local.get $local10)) (i32.load offset=24 (local.get $local12)))))
        (else
          (local.set $local13 (call $atomicHost (local.get $local10) (i32.const 8) (i32.const 1)))
          (local.set $local11 (local.get $local13))
          (if (;unlikely;)
            (i32.or (i32.eqz (local.get $local11)) (i32.load offset=848 (i32.const 0 (;event;))))
            (then
              (local.set $stop_place (i32.const 0x20008))
              (br $stop)))))
      (local.set $local14 (i64.load (local.get $local11)))
      (local.set $local15 (local.get $local14))
      (i64.store (local.get $local11) (i64.or (local.get $local15) (local.get $local8)))
      (if (;unlikely;) (i32.load offset=868 (i32.const 0 (;refetch;)))
        (then
          (call $storedTables)
          (if (;unlikely;) (i32.load offset=848 (i32.const 0 (;event;)))
            (then
              (local.set $stop_place
                (select
                  (i32.const 0x1000c)
                  (i32.const 0x20008)
                  (i32.eq (i32.load offset=848 (i32.const 0 (;event;))) (i32.const 3))))
              (br $stop)))))
      ;; 00c: amomax.w a5,a1,(a2)
      (local.set $local15 (i64.extend32_s (local.get $x11)))
      (local.set $local14 (local.get $x12))
      (local.set $local12
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local14) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load offset=8 (local.get $local12))
          (i64.or
            (i64.and (local.get $local14) (i64.const -4093))
            (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
        (then
          (local.set $local13
            (i32.add (i32.wrap_i64 (local.get $local14)) (i32.load offset=24 (local.get $local12)))))
        (else
          (local.set $local11 (call $atomicHost (local.get $local14) (i32.const 4) (i32.const 1)))
          (local.set $local13 (local.get $local11))
          (if (;unlikely;)
            (i32.or (i32.eqz (local.get $local13)) (i32.load offset=848 (i32.const 0 (;event;))))
            (then
              (local.set $stop_place (i32.const 0x1000c))
              (br $stop)))))
      (local.set $local10 (i64.load32_s (local.get $local13)))
      (local.set $local8 (local.get $local10))
      (i64.store32
        (local.get $local13)
        (select (local.get $local8) (local.get $local15) (i64.gt_s (local.get $local8) (local.get $local15))))
      (local.set $x15 (local.get $local10))
      (if (;unlikely;) (i32.load offset=868 (i32.const 0 (;refetch;)))
        (then
          (call $storedTables)
          (if (;unlikely;) (i32.load offset=848 (i32.const 0 (;event;)))
            (then
              (local.set $stop_place
                (select
                  (i32.const 16)
                  (i32.const 0x1000c)
                  (i32.eq (i32.load offset=848 (i32.const 0 (;event;))) (i32.const 3))))
              (br $stop)))))
      (local.set $target (i64.add (local.get $page) (i64.const 16)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (br $chain)
    ) ;; $stop
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
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
    (local.set $local8 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local11))
        (i64.or (local.get $local8) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local12
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local11))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local12) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local12) (i32.const 16))
              (local.get $local8)
              (i32.and (local.get $local12) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
