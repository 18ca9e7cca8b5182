;; Calls into the supervisor and returns from it are left to the interpreter.
;;
;; entry:  ; entered from outside
;;   000  04000893  addi a7,zero,64
;;   004  00000073  ecall
;;   008  00054463  blt a0,zero,10
;;   00c  00158593  addi a1,a1,1
;; out:
;;   010  00008067  jalr zero,0(ra)
;; handler:  ; entered from outside
;;   014  00160613  addi a2,a2,1
;;   018  10200073  sret
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "takeTrap" (func $takeTrap))
  (import "env" "sret" (func $sret))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x17 i64) (local $x11 i64) (local $x10 i64) (local $x1 i64) (local $local11 i64)
    (local $x12 i64) (local $local13 i32) (local $local14 i32) (local $local15 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x17 (i64.load offset=136 (i32.const 0 (;a7;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x1 (i64.load offset=8 (i32.const 0 (;ra;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (block $chain (block $stop (loop $dispatch (block $indirect (block $to_014 (block $to_010 (block $to_00c
    (block $to_008 (block $to_000
      (br_if $to_000 (i32.eqz (local.get $pend)))
      (br_table $to_000 $to_008 $to_00c $to_010 $to_014 $to_000 (i32.add (local.get $pend) (i32.const -1)))
    ) ;; $to_000
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -2)))
      ;; 000: addi a7,zero,64
      (local.set $x17 (i64.const 64))
      ;; 004: ecall
      (if (;unlikely;)
        (i32.and
          (i32.eq (i32.load offset=536 (i32.const 0 (;privilege;))) (i32.const 1))
          (i32.load offset=548 (i32.const 0 (;firmware;))))
        (then
          (local.set $stop_place (i32.const 0x10004))
          (br $stop)))
      (i64.store offset=528 (i32.const 0 (;pc;)) (i64.add (local.get $page) (i64.const 4)))
      (i64.store offset=832
        (i32.const 0 (;trapCause;))
        (i64.add (i64.load32_u offset=536 (i32.const 0 (;privilege;))) (i64.const 8)))
      (i64.store offset=840 (i32.const 0 (;trapValue;)) (i64.const 0))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 1))
      (call $takeTrap)
      (local.set $target (i64.load offset=528 (i32.const 0 (;pc;))))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=136 (i32.const 0 (;a7;)) (local.get $x17))
      (if
        (i32.or
          (i32.load offset=852 (i32.const 0 (;exit;)))
          (i64.ne
            (i64.and
              (i64.or
                (i64.load offset=592 (i32.const 0 (;mipSoftware;)))
                (i64.load offset=600 (i32.const 0 (;mipHardware;))))
              (i64.load offset=584 (i32.const 0 (;mie;))))
            (i64.const 0)))
        (then
          (return (local.get $remaining))))
      (br $chain)
    ) ;; $to_008
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -1)))
      ;; 008: blt a0,zero,10
      (br_if $to_010 (i64.lt_s (local.get $x10) (i64.const 0)))
    ) ;; $to_00c
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -1)))
      ;; 00c: addi a1,a1,1
      (local.set $x11 (i64.add (local.get $x11) (i64.const 1)))
    ) ;; $to_010
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -1)))
      ;; 010: jalr zero,0(ra)
      (local.set $local11 (i64.and (local.get $x1) (i64.const -2)))
      (local.set $target (local.get $local11))
      (br_if $indirect (i64.lt_u (i64.xor (local.get $target) (local.get $page)) (i64.const 4096)))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (br $chain)
    ) ;; $to_014
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -2)))
      ;; 014: addi a2,a2,1
      (local.set $x12 (i64.add (local.get $x12) (i64.const 1)))
      ;; 018: sret
      (if (;unlikely;)
        (i32.or
          (i32.eqz (i32.load offset=536 (i32.const 0 (;privilege;))))
          (i32.and
            (i32.eq (i32.load offset=536 (i32.const 0 (;privilege;))) (i32.const 1))
            (i64.ne
              (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 0x400000))
              (i64.const 0))))
        (then
          (local.set $stop_place (i32.const 0x10018))
          (br $stop)))
      (call $sret)
      (local.set $target (i64.load offset=528 (i32.const 0 (;pc;))))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (if
        (i32.or
          (i32.load offset=852 (i32.const 0 (;exit;)))
          (i64.ne
            (i64.and
              (i64.or
                (i64.load offset=592 (i32.const 0 (;mipSoftware;)))
                (i64.load offset=600 (i32.const 0 (;mipHardware;))))
              (i64.load offset=584 (i32.const 0 (;mie;))))
            (i64.const 0)))
        (then
          (return (local.get $remaining))))
      (br $chain)
    ) ;; $indirect
      (local.set $pend (i32.wrap_i64 (i64.sub (local.get $target) (local.get $page))))
      (local.set $local13
        (i32.load offset=16810048 (i32.shl (i32.and (local.get $pend) (i32.const 4094)) (i32.const 1))))
      (if (;likely;) (i32.eq (i32.and (local.get $local13) (i32.const 65535)) (i32.const 32775))
        (then
          (if (;unlikely;) (i32.lt_s (local.get $remaining) (i32.const 512))
            (then
              (local.set $stop_place (local.get $pend))
              (br $stop)))
          (local.set $pend (i32.add (i32.shr_u (local.get $local13) (i32.const 16)) (i32.const 1)))
          (br $dispatch)))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=136 (i32.const 0 (;a7;)) (local.get $x17))
      (br $chain)
    )
    ) ;; $stop
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
      (i64.store offset=136 (i32.const 0 (;a7;)) (local.get $x17))
      (i64.store offset=528
        (i32.const 0 (;pc;))
        (i64.add (local.get $page) (i64.extend_i32_u (i32.and (local.get $stop_place) (i32.const 65535)))))
      (i32.store offset=848 (i32.const 0 (;event;)) (i32.const 2))
      (return (i32.add (local.get $remaining) (i32.shr_u (local.get $stop_place) (i32.const 16))))
    ) ;; $chain
    (local.set $local14
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local11 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local14))
        (i64.or (local.get $local11) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local15
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local14))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local15) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local15) (i32.const 16))
              (local.get $local11)
              (i32.and (local.get $local15) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
