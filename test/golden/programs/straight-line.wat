;; Straight-line arithmetic: registers come into locals once, are written once, and constants are folded into their users.
;;
;; entry:  ; entered from outside
;;   000  00150513  addi a0,a0,1
;;   004  00c505b3  add a1,a0,a2
;;   008  40d585b3  sub a1,a1,a3
;;   00c  fff5c713  xori a4,a1,-1
;;   010  00a77733  and a4,a4,a0
;;   014  00c71793  slli a5,a4,0xc
;;   018  4037d793  srai a5,a5,0x3
;;   01c  00a7d833  srl a6,a5,a0
;;   020  0107a8b3  slt a7,a5,a6
;;   024  0018b293  sltiu t0,a7,1
;;   028  12345337  lui t1,0x12345
;;   02c  00001397  auipc t2,0x1
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $x12 i64) (local $x11 i64) (local $x13 i64) (local $x14 i64)
    (local $x15 i64) (local $x16 i64) (local $x17 i64) (local $x5 i64) (local $x6 i64)
    (local $x7 i64) (local $local18 i32) (local $local19 i64) (local $local20 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (local.set $x14 (i64.load offset=112 (i32.const 0 (;a4;))))
    (local.set $x15 (i64.load offset=120 (i32.const 0 (;a5;))))
    (local.set $x16 (i64.load offset=128 (i32.const 0 (;a6;))))
    (local.set $x17 (i64.load offset=136 (i32.const 0 (;a7;))))
    (local.set $x5 (i64.load offset=40 (i32.const 0 (;t0;))))
    (local.set $x6 (i64.load offset=48 (i32.const 0 (;t1;))))
    (local.set $x7 (i64.load offset=56 (i32.const 0 (;t2;))))
    (local.set $pend (i32.const 0))
    (local.set $remaining (i32.add (local.get $remaining) (i32.const -12)))
    ;; 000: addi a0,a0,1
    (local.set $x10 (i64.add (local.get $x10) (i64.const 1)))
    ;; 004: add a1,a0,a2
    (local.set $x11 (i64.add (local.get $x10) (local.get $x12)))
    ;; 008: sub a1,a1,a3
    (local.set $x11 (i64.sub (local.get $x11) (local.get $x13)))
    ;; 00c: xori a4,a1,-1
    (local.set $x14 (i64.xor (local.get $x11) (i64.const -1)))
    ;; 010: and a4,a4,a0
    (local.set $x14 (i64.and (local.get $x14) (local.get $x10)))
    ;; 014: slli a5,a4,0xc
    (local.set $x15 (i64.shl (local.get $x14) (i64.const 12)))
    ;; 018: srai a5,a5,0x3
    (local.set $x15 (i64.shr_s (local.get $x15) (i64.const 3)))
    ;; 01c: srl a6,a5,a0
    (local.set $x16 (i64.shr_u (local.get $x15) (local.get $x10)))
    ;; 020: slt a7,a5,a6
    (local.set $x17 (i64.extend_i32_u (i64.lt_s (local.get $x15) (local.get $x16))))
    ;; 024: sltiu t0,a7,1
    (local.set $x5 (i64.extend_i32_u (i64.eqz (local.get $x17))))
    ;; 028: lui t1,0x12345
    (local.set $x6 (i64.const 0x12345000))
    ;; 02c: auipc t2,0x1
    (local.set $x7 (i64.add (local.get $page) (i64.const 4140)))
    (local.set $target (i64.add (local.get $page) (i64.const 48)))
    (i64.store offset=40 (i32.const 0 (;t0;)) (local.get $x5))
    (i64.store offset=48 (i32.const 0 (;t1;)) (local.get $x6))
    (i64.store offset=56 (i32.const 0 (;t2;)) (local.get $x7))
    (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
    (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
    (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
    (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
    (i64.store offset=128 (i32.const 0 (;a6;)) (local.get $x16))
    (i64.store offset=136 (i32.const 0 (;a7;)) (local.get $x17))
    (local.set $local18
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local19 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local18))
        (i64.or (local.get $local19) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local20
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local18))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local20) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local20) (i32.const 16))
              (local.get $local19)
              (i32.and (local.get $local20) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
