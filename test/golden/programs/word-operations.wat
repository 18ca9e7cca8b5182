;; 32-bit arithmetic: results are sign-extended, and what needs only the low halves of its operands takes no more.
;;
;; entry:  ; entered from outside
;;   000  00b5053b  addw a0,a0,a1
;;   004  0015051b  addiw a0,a0,1
;;   008  0005061b  addiw a2,a0,0
;;   00c  40b606bb  subw a3,a2,a1
;;   010  00a6973b  sllw a4,a3,a0
;;   014  00a757bb  srlw a5,a4,a0
;;   018  40a7d83b  sraw a6,a5,a0
;;   01c  0038189b  slliw a7,a6,0x3
;;   020  0048d29b  srliw t0,a7,0x4
;;   024  4052d31b  sraiw t1,t0,0x5
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $x11 i64) (local $x12 i64) (local $x13 i64) (local $x14 i64)
    (local $x15 i64) (local $x16 i64) (local $x17 i64) (local $x5 i64) (local $x6 i64)
    (local $local17 i32) (local $local18 i64) (local $local19 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $x13 (i64.load offset=104 (i32.const 0 (;a3;))))
    (local.set $x14 (i64.load offset=112 (i32.const 0 (;a4;))))
    (local.set $x15 (i64.load offset=120 (i32.const 0 (;a5;))))
    (local.set $x16 (i64.load offset=128 (i32.const 0 (;a6;))))
    (local.set $x17 (i64.load offset=136 (i32.const 0 (;a7;))))
    (local.set $x5 (i64.load offset=40 (i32.const 0 (;t0;))))
    (local.set $x6 (i64.load offset=48 (i32.const 0 (;t1;))))
    (local.set $pend (i32.const 0))
    (local.set $remaining (i32.add (local.get $remaining) (i32.const -10)))
    ;; 000: addw a0,a0,a1
    (local.set $x10
      (i64.extend_i32_s (i32.add (i32.wrap_i64 (local.get $x10)) (i32.wrap_i64 (local.get $x11)))))
    ;; 004: addiw a0,a0,1
    (local.set $x10 (i64.extend_i32_s (i32.add (i32.wrap_i64 (local.get $x10)) (i32.const 1))))
    ;; 008: addiw a2,a0,0
    (local.set $x12 (i64.extend32_s (local.get $x10)))
    ;; 00c: subw a3,a2,a1
    (local.set $x13
      (i64.extend_i32_s (i32.sub (i32.wrap_i64 (local.get $x12)) (i32.wrap_i64 (local.get $x11)))))
    ;; 010: sllw a4,a3,a0
    (local.set $x14
      (i64.extend_i32_s (i32.shl (i32.wrap_i64 (local.get $x13)) (i32.wrap_i64 (local.get $x10)))))
    ;; 014: srlw a5,a4,a0
    (local.set $x15
      (i64.extend_i32_s (i32.shr_u (i32.wrap_i64 (local.get $x14)) (i32.wrap_i64 (local.get $x10)))))
    ;; 018: sraw a6,a5,a0
    (local.set $x16
      (i64.extend_i32_s (i32.shr_s (i32.wrap_i64 (local.get $x15)) (i32.wrap_i64 (local.get $x10)))))
    ;; 01c: slliw a7,a6,0x3
    (local.set $x17 (i64.extend_i32_s (i32.shl (i32.wrap_i64 (local.get $x16)) (i32.const 3))))
    ;; 020: srliw t0,a7,0x4
    (local.set $x5 (i64.extend_i32_u (i32.shr_u (i32.wrap_i64 (local.get $x17)) (i32.const 4))))
    ;; 024: sraiw t1,t0,0x5
    (local.set $x6 (i64.extend_i32_s (i32.shr_s (i32.wrap_i64 (local.get $x5)) (i32.const 5))))
    (local.set $target (i64.add (local.get $page) (i64.const 40)))
    (i64.store offset=40 (i32.const 0 (;t0;)) (local.get $x5))
    (i64.store offset=48 (i32.const 0 (;t1;)) (local.get $x6))
    (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
    (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
    (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
    (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
    (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
    (i64.store offset=128 (i32.const 0 (;a6;)) (local.get $x16))
    (i64.store offset=136 (i32.const 0 (;a7;)) (local.get $x17))
    (local.set $local17
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local18 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local17))
        (i64.or (local.get $local18) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local19
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local17))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local19) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local19) (i32.const 16))
              (local.get $local18)
              (i32.and (local.get $local19) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
