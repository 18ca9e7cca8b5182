;; A switch: a jump whose target comes from a table.
;;
;; entry:  ; entered from outside
;;   000  00353613  sltiu a2,a0,3
;;   004  02060063  beq a2,zero,24
;;   008  00351513  slli a0,a0,0x3
;;   00c  00a585b3  add a1,a1,a0
;;   010  0005b583  ld a1,0(a1)
;;   014  00058067  jalr zero,0(a1)
;; case_1:  ; entered from outside
;;   018  00168693  addi a3,a3,1
;;   01c  00008067  jalr zero,0(ra)
;; case_2:  ; entered from outside
;;   020  00268693  addi a3,a3,2
;; out:
;;   024  00008067  jalr zero,0(ra)
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $x12 i64) (local $x11 i64) (local $local10 i64)
    (local $local11 i64) (local $local12 i32) (local $x13 i64) (local $x1 i64)
    (local $local15 i32) (local $local16 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (local.set $x1 (i64.load offset=8 (i32.const 0 (;ra;))))
    (block $chain (block $stop (loop $dispatch (block $indirect (block $to_024 (block $to_020 (block $to_018
    (block $to_008 (block $to_000
      (br_if $to_000 (i32.eqz (local.get $pend)))
      (br_table $to_000 $to_008 $to_018 $to_020 $to_024 $to_000 (i32.add (local.get $pend) (i32.const -1)))
    ) ;; $to_000
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -2)))
      ;; 000: sltiu a2,a0,3
      (local.set $x12 (i64.extend_i32_u (i64.lt_u (local.get $x10) (i64.const 3))))
      ;; 004: beq a2,zero,24
      (br_if $to_024 (i64.eqz (local.get $x12)))
    ) ;; $to_008
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -4)))
      ;; 008: slli a0,a0,0x3
      (local.set $x10 (i64.shl (local.get $x10) (i64.const 3)))
      ;; 00c: add a1,a1,a0
      (local.set $x11 (i64.add (local.get $x11) (local.get $x10)))
      ;; 010: ld a1,0(a1)
      (local.set $local10 (local.get $x11))
      (local.set $local12
        (i32.add
          (local.get $tlb)
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local10) (i64.const 7))) (i32.const 0x1ffe0))))
      (if (;likely;)
        (i64.eq
          (i64.load (local.get $local12))
          (i64.or
            (i64.and (local.get $local10) (i64.const -4089))
            (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
        (then
          (local.set $local11
            (i64.load
              (i32.add (i32.wrap_i64 (local.get $local10)) (i32.load offset=24 (local.get $local12))))))
        (else
          (local.set $stop_place (i32.const 0x20010))
          (br $stop)))
      (local.set $x11 (local.get $local11))
      ;; 014: jalr zero,0(a1)
      (local.set $local11 (i64.and (local.get $x11) (i64.const -2)))
      (local.set $target (local.get $local11))
      (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (br $chain)
    ) ;; $to_018
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -2)))
      ;; 018: addi a3,a3,1
      (local.set $x13 (i64.add (local.get $x13) (i64.const 1)))
      ;; 01c: jalr zero,0(ra)
      (local.set $local11 (i64.and (local.get $x1) (i64.const -2)))
      (local.set $target (local.get $local11))
      (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (br $chain)
    ) ;; $to_020
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -1)))
      ;; 020: addi a3,a3,2
      (local.set $x13 (i64.add (local.get $x13) (i64.const 2)))
    ) ;; $to_024
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -1)))
      ;; 024: jalr zero,0(ra)
      (local.set $local11 (i64.and (local.get $x1) (i64.const -2)))
      (local.set $target (local.get $local11))
      (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
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
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
      (br $chain)
    )
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
    (local.set $local15
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local11 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local15))
        (i64.or (local.get $local11) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
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
              (local.get $local11)
              (i32.and (local.get $local16) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
