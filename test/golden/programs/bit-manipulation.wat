;; Zbb and Zbs.
;;
;; entry:  ; entered from outside
;;   000  40b57533  andn a0,a0,a1
;;   004  40c5e5b3  orn a1,a1,a2
;;   008  40d64633  xnor a2,a2,a3
;;   00c  60051693  clz a3,a0
;;   010  6015971b  ctzw a4,a1
;;   014  60261793  cpop a5,a2
;;   018  0ab56833  max a6,a0,a1
;;   01c  0ab558b3  minu a7,a0,a1
;;   020  60451293  sext.b t0,a0
;;   024  0805c33b  zext.h t1,a1
;;   028  60b513b3  rol t2,a0,a1
;;   02c  60755e1b  roriw t3,a0,0x7
;;   030  6b855e93  rev8 t4,a0
;;   034  28755f13  orc.b t5,a0
;;   038  48b55fb3  bext t6,a0,a1
;;   03c  2a851913  bseti s2,a0,0x28
;;   040  48b519b3  bclr s3,a0,a1
;;   044  68351a13  binvi s4,a0,0x3
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $x11 i64) (local $x12 i64) (local $x13 i64) (local $x14 i64)
    (local $x15 i64) (local $local13 i64) (local $local14 i64) (local $x16 i64)
    (local $x17 i64) (local $x5 i64) (local $x6 i64) (local $x7 i64) (local $x28 i64)
    (local $x29 i64) (local $x30 i64) (local $x31 i64) (local $x18 i64) (local $x19 i64)
    (local $x20 i64) (local $local27 i32) (local $local28 i32)
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
    (local.set $x7 (i64.load offset=56 (i32.const 0 (;t2;))))
    (local.set $x28 (i64.load offset=224 (i32.const 0 (;t3;))))
    (local.set $x29 (i64.load offset=232 (i32.const 0 (;t4;))))
    (local.set $x30 (i64.load offset=240 (i32.const 0 (;t5;))))
    (local.set $x31 (i64.load offset=248 (i32.const 0 (;t6;))))
    (local.set $x18 (i64.load offset=144 (i32.const 0 (;s2;))))
    (local.set $x19 (i64.load offset=152 (i32.const 0 (;s3;))))
    (local.set $x20 (i64.load offset=160 (i32.const 0 (;s4;))))
    (local.set $pend (i32.const 0))
    (local.set $remaining (i32.add (local.get $remaining) (i32.const -18)))
    ;; 000: andn a0,a0,a1
    (local.set $x10 (i64.and (local.get $x10) (i64.xor (local.get $x11) (i64.const -1))))
    ;; 004: orn a1,a1,a2
    (local.set $x11 (i64.or (local.get $x11) (i64.xor (local.get $x12) (i64.const -1))))
    ;; 008: xnor a2,a2,a3
    (local.set $x12 (i64.xor (i64.xor (local.get $x12) (local.get $x13)) (i64.const -1)))
    ;; 00c: clz a3,a0
    (local.set $x13 (i64.clz (local.get $x10)))
    ;; 010: ctzw a4,a1
    (local.set $x14 (i64.extend_i32_u (i32.ctz (i32.wrap_i64 (local.get $x11)))))
    ;; 014: cpop a5,a2
    (local.set $x15 (i64.popcnt (local.get $x12)))
    ;; 018: max a6,a0,a1
    (local.set $local13 (local.get $x10))
    (local.set $local14 (local.get $x11))
    (local.set $x16
      (select (local.get $local13) (local.get $local14) (i64.gt_s (local.get $local13) (local.get $local14))))
    ;; 01c: minu a7,a0,a1
    (local.set $local14 (local.get $x10))
    (local.set $local13 (local.get $x11))
    (local.set $x17
      (select (local.get $local14) (local.get $local13) (i64.lt_u (local.get $local14) (local.get $local13))))
    ;; 020: sext.b t0,a0
    (local.set $x5 (i64.extend8_s (local.get $x10)))
    ;; 024: zext.h t1,a1
    (local.set $x6 (i64.and (local.get $x11) (i64.const 65535)))
    ;; 028: rol t2,a0,a1
    (local.set $x7 (i64.rotl (local.get $x10) (local.get $x11)))
    ;; 02c: roriw t3,a0,0x7
    (local.set $x28 (i64.extend_i32_s (i32.rotr (i32.wrap_i64 (local.get $x10)) (i32.const 7))))
    ;; 030: rev8 t4,a0
    (local.set $local13 (local.get $x10))
    (local.set $local14
      (i64.or
        (i64.and (i64.shr_u (local.get $local13) (i64.const 8)) (i64.const 0xff00ff00ff00ff))
        (i64.shl (i64.and (local.get $local13) (i64.const 0xffff00ff00ff00ff)) (i64.const 8))))
    (local.set $x29
      (i64.rotl
        (i64.or
          (i64.and (i64.shr_u (local.get $local14) (i64.const 16)) (i64.const 0xffff0000ffff))
          (i64.shl (i64.and (local.get $local14) (i64.const 0xffffffff0000ffff)) (i64.const 16)))
        (i64.const 32)))
    ;; 034: orc.b t5,a0
    (local.set $local14 (local.get $x10))
    (local.set $x30
      (i64.mul
        (i64.shr_u
          (i64.and
            (i64.or
              (i64.add
                (i64.and (local.get $local14) (i64.const 0x7f7f7f7f7f7f7f7f))
                (i64.const 0x7f7f7f7f7f7f7f7f))
              (local.get $local14))
            (i64.const 0x8080808080808080))
          (i64.const 7))
        (i64.const 255)))
    ;; 038: bext t6,a0,a1
    (local.set $x31 (i64.and (i64.shr_u (local.get $x10) (local.get $x11)) (i64.const 1)))
    ;; 03c: bseti s2,a0,0x28
    (local.set $x18 (i64.or (local.get $x10) (i64.const 0x10000000000)))
    ;; 040: bclr s3,a0,a1
    (local.set $x19 (i64.and (local.get $x10) (i64.rotl (i64.const -2) (local.get $x11))))
    ;; 044: binvi s4,a0,0x3
    (local.set $x20 (i64.xor (local.get $x10) (i64.const 8)))
    (local.set $target (i64.add (local.get $page) (i64.const 72)))
    (i64.store offset=40 (i32.const 0 (;t0;)) (local.get $x5))
    (i64.store offset=48 (i32.const 0 (;t1;)) (local.get $x6))
    (i64.store offset=56 (i32.const 0 (;t2;)) (local.get $x7))
    (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
    (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
    (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
    (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
    (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
    (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
    (i64.store offset=128 (i32.const 0 (;a6;)) (local.get $x16))
    (i64.store offset=136 (i32.const 0 (;a7;)) (local.get $x17))
    (i64.store offset=144 (i32.const 0 (;s2;)) (local.get $x18))
    (i64.store offset=152 (i32.const 0 (;s3;)) (local.get $x19))
    (i64.store offset=160 (i32.const 0 (;s4;)) (local.get $x20))
    (i64.store offset=224 (i32.const 0 (;t3;)) (local.get $x28))
    (i64.store offset=232 (i32.const 0 (;t4;)) (local.get $x29))
    (i64.store offset=240 (i32.const 0 (;t5;)) (local.get $x30))
    (i64.store offset=248 (i32.const 0 (;t6;)) (local.get $x31))
    (local.set $local27
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local14 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local27))
        (i64.or (local.get $local14) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local28
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local27))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local28) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local28) (i32.const 16))
              (local.get $local14)
              (i32.and (local.get $local28) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
