;; Fibonacci numbers, with the calls that gcc -O1 leaves in.
;;
;; entry:  ; entered from outside
;;   000  00100793  addi a5,zero,1
;;   004  04a7f063  bgeu a5,a0,44
;;   008  fe010113  addi sp,sp,-32
;;   00c  00113c23  sd ra,24(sp)
;;   010  00813823  sd s0,16(sp)
;;   014  00913423  sd s1,8(sp)
;;   018  00050413  addi s0,a0,0
;;   01c  fff50513  addi a0,a0,-1
;;   020  fe1ff0ef  jal ra,0
;;   024  00050493  addi s1,a0,0
;;   028  ffe40513  addi a0,s0,-2
;;   02c  fd5ff0ef  jal ra,0
;;   030  00950533  add a0,a0,s1
;;   034  01813083  ld ra,24(sp)
;;   038  01013403  ld s0,16(sp)
;;   03c  00813483  ld s1,8(sp)
;;   040  02010113  addi sp,sp,32
;; done:
;;   044  00008067  jalr zero,0(ra)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x15 i64) (local $x10 i64) (local $x2 i64) (local $x1 i64) (local $local11 i64)
    (local $local12 i32) (local $x8 i64) (local $x9 i64) (local $local15 i64)
    (local $local16 i32) (local $local17 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x15 (i64.load offset=120 (i32.const 0 (;a5;))))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x2 (i64.load offset=16 (i32.const 0 (;sp;))))
    (local.set $x1 (i64.load offset=8 (i32.const 0 (;ra;))))
    (local.set $x8 (i64.load offset=64 (i32.const 0 (;s0;))))
    (local.set $x9 (i64.load offset=72 (i32.const 0 (;s1;))))
    (block $chain (block $stop (loop $dispatch (block $indirect (block $to_044 (block $to_030 (block $to_000
      (br_if $to_000 (i32.eqz (local.get $pend)))
      (br_table $to_000 $to_000 $to_000 $to_030 $to_044 $to_000 (i32.add (local.get $pend) (i32.const -1)))
    ) ;; $to_000
      (loop $loop_000 (block $to_024 (block $to_008 (block $to_000_2
        (br_if $to_000_2 (i32.eqz (local.get $pend)))
        (br_table $to_000_2 $to_008 $to_024 $to_000_2 (i32.add (local.get $pend) (i32.const -1)))
      ) ;; $to_000_2
        (local.set $pend (i32.const 0))
        (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 9))
          (then
            (local.set $stop_place (i32.const 0))
            (br $stop)))
        (local.set $remaining (i32.add (local.get $remaining) (i32.const -2)))
        ;; 000: addi a5,zero,1
        (local.set $x15 (i64.const 1))
        ;; 004: bgeu a5,a0,44
        (br_if $to_044 (i64.ge_u (local.get $x15) (local.get $x10)))
      ) ;; $to_008
        (local.set $remaining (i32.add (local.get $remaining) (i32.const -7)))
        ;; 008: addi sp,sp,-32
        (local.set $x2 (i64.add (local.get $x2) (i64.const -32)))
        ;; 00c: sd ra,24(sp)
        (local.set $local11 (i64.add (local.get $x2) (i64.const 24)))
        (local.set $local12
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local11) (i64.const 7))) (i32.const 0x1ffe0))))
        (if (;likely;)
          (i64.eq
            (i64.load offset=8 (local.get $local12))
            (i64.or
              (i64.and (local.get $local11) (i64.const -4089))
              (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
          (then
            (i64.store
              (i32.add (i32.wrap_i64 (local.get $local11)) (i32.load offset=24 (local.get $local12)))
              (local.get $x1)))
          (else
            (local.set $stop_place (i32.const 0x6000c))
            (br $stop)))
        ;; 010: sd s0,16(sp)
        (local.set $local11 (i64.add (local.get $x2) (i64.const 16)))
        (local.set $local12
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local11) (i64.const 7))) (i32.const 0x1ffe0))))
        (if (;likely;)
          (i64.eq
            (i64.load offset=8 (local.get $local12))
            (i64.or
              (i64.and (local.get $local11) (i64.const -4089))
              (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
          (then
            (i64.store
              (i32.add (i32.wrap_i64 (local.get $local11)) (i32.load offset=24 (local.get $local12)))
              (local.get $x8)))
          (else
            (local.set $stop_place (i32.const 0x50010))
            (br $stop)))
        ;; 014: sd s1,8(sp)
        (local.set $local11 (i64.add (local.get $x2) (i64.const 8)))
        (local.set $local12
          (i32.add
            (local.get $tlb)
            (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local11) (i64.const 7))) (i32.const 0x1ffe0))))
        (if (;likely;)
          (i64.eq
            (i64.load offset=8 (local.get $local12))
            (i64.or
              (i64.and (local.get $local11) (i64.const -4089))
              (i64.load offset=896 (i32.const 0 (;writeGeneration;)))))
          (then
            (i64.store
              (i32.add (i32.wrap_i64 (local.get $local11)) (i32.load offset=24 (local.get $local12)))
              (local.get $x9)))
          (else
            (local.set $stop_place (i32.const 0x40014))
            (br $stop)))
        ;; 018: addi s0,a0,0
        (local.set $x8 (local.get $x10))
        ;; 01c: addi a0,a0,-1
        (local.set $x10 (i64.add (local.get $x10) (i64.const -1)))
        ;; 020: jal ra,0
        (local.set $x1 (i64.add (local.get $page) (i64.const 36)))
        (br $loop_000)
      ) ;; $to_024
        (local.set $pend (i32.const 0))
        (local.set $remaining (i32.add (local.get $remaining) (i32.const -3)))
        ;; 024: addi s1,a0,0
        (local.set $x9 (local.get $x10))
        ;; 028: addi a0,s0,-2
        (local.set $x10 (i64.add (local.get $x8) (i64.const -2)))
        ;; 02c: jal ra,0
        (local.set $x1 (i64.add (local.get $page) (i64.const 48)))
        (br $loop_000)
      )
    ) ;; $to_030
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -5)))
      ;; 030: add a0,a0,s1
      (local.set $x10 (i64.add (local.get $x10) (local.get $x9)))
      ;; 034: ld ra,24(sp)
      (local.set $local11 (i64.add (local.get $x2) (i64.const 24)))
      (local.set $local12
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local11) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local12))
          (i64.or
            (i64.and (local.get $local11) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local15
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local11)) (i32.load offset=24 (local.get $local12))))))
        (else
          (local.set $stop_place (i32.const 0x40034))
          (br $stop)))
      (local.set $x1 (local.get $local15))
      ;; 038: ld s0,16(sp)
      (local.set $local15 (i64.add (local.get $x2) (i64.const 16)))
      (local.set $local12
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local15) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local12))
          (i64.or
            (i64.and (local.get $local15) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local11
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local15)) (i32.load offset=24 (local.get $local12))))))
        (else
          (local.set $stop_place (i32.const 0x30038))
          (br $stop)))
      (local.set $x8 (local.get $local11))
      ;; 03c: ld s1,8(sp)
      (local.set $local11 (i64.add (local.get $x2) (i64.const 8)))
      (local.set $local12
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local11) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local12))
          (i64.or
            (i64.and (local.get $local11) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local15
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local11)) (i32.load offset=24 (local.get $local12))))))
        (else
          (local.set $stop_place (i32.const 0x2003c))
          (br $stop)))
      (local.set $x9 (local.get $local15))
      ;; 040: addi sp,sp,32
      (local.set $x2 (i64.add (local.get $x2) (i64.const 32)))
    ) ;; $to_044
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -1)))
      ;; 044: jalr zero,0(ra)
      (local.set $local15 (i64.and (local.get $x1) (i64.const -2)))
      (local.set $target (local.get $local15))
      (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
      (i64.store offset=8 (i32.const 0 (;ra;)) (local.get $x1))
      (i64.store offset=16 (i32.const 0 (;sp;)) (local.get $x2))
      (i64.store offset=64 (i32.const 0 (;s0;)) (local.get $x8))
      (i64.store offset=72 (i32.const 0 (;s1;)) (local.get $x9))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (br $chain)
    ) ;; $indirect
      (local.set $pend (i32.wrap_i64 (i64.sub (local.get $target) (local.get $page))))
      (local.set $local12
        (i32.load offset=16810048 (i32.shl (i32.and (local.get $pend) (i32.const 4094)) (i32.const 1))))
      (if (;likely;) (i32.eq (i32.and (local.get $local12) (i32.const 65535)) (i32.const 32775))
        (then
          (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 512))
            (then
              (local.set $stop_place (local.get $pend))
              (br $stop)))
          (local.set $pend (i32.add (i32.shr_u (local.get $local12) (i32.const 16)) (i32.const 1)))
          (br $dispatch)))
      (i64.store offset=8 (i32.const 0 (;ra;)) (local.get $x1))
      (i64.store offset=16 (i32.const 0 (;sp;)) (local.get $x2))
      (i64.store offset=64 (i32.const 0 (;s0;)) (local.get $x8))
      (i64.store offset=72 (i32.const 0 (;s1;)) (local.get $x9))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (br $chain)
    )
    ) ;; $stop
      (i64.store offset=8 (i32.const 0 (;ra;)) (local.get $x1))
      (i64.store offset=16 (i32.const 0 (;sp;)) (local.get $x2))
      (i64.store offset=64 (i32.const 0 (;s0;)) (local.get $x8))
      (i64.store offset=72 (i32.const 0 (;s1;)) (local.get $x9))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local16
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local15 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local16))
        (i64.or (local.get $local15) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local17
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local16))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local17) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local17) (i32.const 16))
              (local.get $local15)
              (i32.and (local.get $local17) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
