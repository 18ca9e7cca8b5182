;; How compilers make constants: lui with addiw, and shifts for the large ones.
;;
;; entry:  ; entered from outside
;;   000  0dead537  lui a0,0xdead
;;   004  eef5051b  addiw a0,a0,-273
;;   008  002475b7  lui a1,0x247
;;   00c  8ad5859b  addiw a1,a1,-1875
;;   010  00e59593  slli a1,a1,0xe
;;   014  c4d58593  addi a1,a1,-947
;;   018  00c59593  slli a1,a1,0xc
;;   01c  5e758593  addi a1,a1,1511
;;   020  00d59593  slli a1,a1,0xd
;;   024  ef058593  addi a1,a1,-272
;;   028  fff00613  addi a2,zero,-1
;;   02c  02065613  srli a2,a2,0x20
;;   030  00c57533  and a0,a0,a2
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x10 i64) (local $x11 i64) (local $x12 i64) (local $local10 i32)
    (local $local11 i64) (local $local12 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $x12 (i64.load offset=96 (i32.const 0 (;a2;))))
    (local.set $pend (i32.const 0))
    (local.set $remaining (i32.add (local.get $remaining) (i32.const -13)))
    ;; 000: lui a0,0xdead
    (local.set $x10 (i64.const 0xdead000))
    ;; 004: addiw a0,a0,-273
    (local.set $x10 (i64.extend_i32_s (i32.add (i32.wrap_i64 (local.get $x10)) (i32.const -273))))
    ;; 008: lui a1,0x247
    (local.set $x11 (i64.const 0x247000))
    ;; 00c: addiw a1,a1,-1875
    (local.set $x11 (i64.extend_i32_s (i32.add (i32.wrap_i64 (local.get $x11)) (i32.const -1875))))
    ;; 010: slli a1,a1,0xe
    (local.set $x11 (i64.shl (local.get $x11) (i64.const 14)))
    ;; 014: addi a1,a1,-947
    (local.set $x11 (i64.add (local.get $x11) (i64.const -947)))
    ;; 018: slli a1,a1,0xc
    (local.set $x11 (i64.shl (local.get $x11) (i64.const 12)))
    ;; 01c: addi a1,a1,1511
    (local.set $x11 (i64.add (local.get $x11) (i64.const 1511)))
    ;; 020: slli a1,a1,0xd
    (local.set $x11 (i64.shl (local.get $x11) (i64.const 13)))
    ;; 024: addi a1,a1,-272
    (local.set $x11 (i64.add (local.get $x11) (i64.const -272)))
    ;; 028: addi a2,zero,-1
    (local.set $x12 (i64.const -1))
    ;; 02c: srli a2,a2,0x20
    (local.set $x12 (i64.shr_u (local.get $x12) (i64.const 32)))
    ;; 030: and a0,a0,a2
    (local.set $x10 (i64.and (local.get $x10) (local.get $x12)))
    (local.set $target (i64.add (local.get $page) (i64.const 52)))
    (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
    (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
    (i64.store offset=96 (i32.const 0 (;a2;)) (local.get $x12))
    (local.set $local10
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local11 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local10))
        (i64.or (local.get $local11) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local12
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local10))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local12) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local12) (i32.const 16))
              (local.get $local11)
              (i32.and (local.get $local12) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
