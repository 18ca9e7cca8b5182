;; Registers saved in a frame and restored from it: neighbouring accesses with the same base.
;;
;; entry:  ; entered from outside
;;   000  fe010113  addi sp,sp,-32
;;   004  00113c23  sd ra,24(sp)
;;   008  00813823  sd s0,16(sp)
;;   00c  00913423  sd s1,8(sp)
;;   010  00050413  addi s0,a0,0
;;   014  00140493  addi s1,s0,1
;;   018  00048513  addi a0,s1,0
;;   01c  01813083  ld ra,24(sp)
;;   020  01013403  ld s0,16(sp)
;;   024  00813483  ld s1,8(sp)
;;   028  02010113  addi sp,sp,32
;;   02c  00008067  jalr zero,0(ra)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x2 i64) (local $x1 i64) (local $local9 i64) (local $local10 i32) (local $x8 i64)
    (local $x9 i64) (local $x10 i64) (local $local14 i64) (local $local15 i32)
    (local $local16 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x2 (i64.load offset=16 (i32.const 0 (;sp;))))
    (local.set $x1 (i64.load offset=8 (i32.const 0 (;ra;))))
    (local.set $x8 (i64.load offset=64 (i32.const 0 (;s0;))))
    (local.set $x9 (i64.load offset=72 (i32.const 0 (;s1;))))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (block $chain (block $stop (loop $dispatch (block $indirect
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -12)))
      ;; 000: addi sp,sp,-32
      (local.set $x2 (i64.add (local.get $x2) (i64.const -32)))
      ;; 004: sd ra,24(sp)
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
            (local.get $x1)))
        (else
          (local.set $stop_place (i32.const 0xb0004))
          (br $stop)))
      ;; 008: sd s0,16(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 16)))
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
            (local.get $x8)))
        (else
          (local.set $stop_place (i32.const 0xa0008))
          (br $stop)))
      ;; 00c: sd s1,8(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 8)))
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
            (local.get $x9)))
        (else
          (local.set $stop_place (i32.const 0x9000c))
          (br $stop)))
      ;; 010: addi s0,a0,0
      (local.set $x8 (local.get $x10))
      ;; 014: addi s1,s0,1
      (local.set $x9 (i64.add (local.get $x8) (i64.const 1)))
      ;; 018: addi a0,s1,0
      (local.set $x10 (local.get $x9))
      ;; 01c: ld ra,24(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 24)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local14
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x5001c))
          (br $stop)))
      (local.set $x1 (local.get $local14))
      ;; 020: ld s0,16(sp)
      (local.set $local14 (i64.add (local.get $x2) (i64.const 16)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local14) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local14) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local9
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local14)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x40020))
          (br $stop)))
      (local.set $x8 (local.get $local9))
      ;; 024: ld s1,8(sp)
      (local.set $local9 (i64.add (local.get $x2) (i64.const 8)))
      (local.set $local10
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local9) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local10))
          (i64.or
            (i64.and (local.get $local9) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local14
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local9)) (i32.load offset=24 (local.get $local10))))))
        (else
          (local.set $stop_place (i32.const 0x30024))
          (br $stop)))
      (local.set $x9 (local.get $local14))
      ;; 028: addi sp,sp,32
      (local.set $x2 (i64.add (local.get $x2) (i64.const 32)))
      ;; 02c: jalr zero,0(ra)
      (local.set $local14 (i64.and (local.get $x1) (i64.const -2)))
      (local.set $target (local.get $local14))
      (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
      (i64.store offset=8 (i32.const 0 (;ra;)) (local.get $x1))
      (i64.store offset=16 (i32.const 0 (;sp;)) (local.get $x2))
      (i64.store offset=64 (i32.const 0 (;s0;)) (local.get $x8))
      (i64.store offset=72 (i32.const 0 (;s1;)) (local.get $x9))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (br $chain)
    ) ;; $indirect
      (local.set $pend (i32.wrap_i64 (i64.sub (local.get $target) (local.get $page))))
      (local.set $local10
        (i32.load offset=16810048 (i32.shl (i32.and (local.get $pend) (i32.const 4094)) (i32.const 1))))
      (if (;likely;) (i32.eq (i32.and (local.get $local10) (i32.const 65535)) (i32.const 32775))
        (then
          (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 512))
            (then
              (local.set $stop_place (local.get $pend))
              (br $stop)))
          (local.set $pend (i32.add (i32.shr_u (local.get $local10) (i32.const 16)) (i32.const 1)))
          (br $dispatch)))
      (i64.store offset=8 (i32.const 0 (;ra;)) (local.get $x1))
      (i64.store offset=16 (i32.const 0 (;sp;)) (local.get $x2))
      (i64.store offset=64 (i32.const 0 (;s0;)) (local.get $x8))
      (i64.store offset=72 (i32.const 0 (;s1;)) (local.get $x9))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (br $chain)
    )
    ) ;; $stop
      (i64.store offset=8 (i32.const 0 (;ra;)) (local.get $x1))
      (i64.store offset=16 (i32.const 0 (;sp;)) (local.get $x2))
      (i64.store offset=64 (i32.const 0 (;s0;)) (local.get $x8))
      (i64.store offset=72 (i32.const 0 (;s1;)) (local.get $x9))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local15
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local14 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local15))
        (i64.or (local.get $local14) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local16
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local15))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local16) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local16) (i32.const 16))
              (local.get $local14)
              (i32.and (local.get $local16) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
