;; Division never traps: by zero, and of the least number by -1, it gives what the specification says.
;;
;; entry:  ; entered from outside
;;   000  02c5c533  div a0,a1,a2
;;   004  02c5d6b3  divu a3,a1,a2
;;   008  02c5e733  rem a4,a1,a2
;;   00c  02c5f7b3  remu a5,a1,a2
;;   010  02c5c83b  divw a6,a1,a2
;;   014  02c5f8bb  remuw a7,a1,a2
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $x11 i64) (local $local8 i64) (local $x12 i64) (local $local10 i64)
    (local $local11 i32) (local $x10 i64) (local $x13 i64) (local $x14 i64) (local $x15 i64)
    (local $local16 i32) (local $local17 i32) (local $x16 i64) (local $x17 i64)
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
    (local.set $x16 (i64.load offset=128 (i32.const 0 (;a6;))))
    (local.set $x17 (i64.load offset=136 (i32.const 0 (;a7;))))
    (local.set $pend (i32.const 0))
    (local.set $remaining (i32.add (local.get $remaining) (i32.const -6)))
    ;; 000: div a0,a1,a2
    (local.set $local8 (local.get $x11))
    (local.set $local10 (local.get $x12))
    (local.set $local11 (i64.eqz (local.get $local10)))
    (local.set $x10
      (select
        (i64.const -1)
        (i64.div_s
          (local.get $local8)
          (select
            (i64.const 1)
            (local.get $local10)
            (i32.or
              (local.get $local11)
              (i32.and
                (i64.eq (local.get $local8) (i64.const 0x8000000000000000))
                (i64.eq (local.get $local10) (i64.const -1))))))
        (local.get $local11)))
    ;; 004: divu a3,a1,a2
    (local.set $local10 (local.get $x12))
    (local.set $local11 (i64.eqz (local.get $local10)))
    (local.set $x13
      (select
        (i64.const -1)
        (i64.div_u (local.get $x11) (select (i64.const 1) (local.get $local10) (local.get $local11)))
        (local.get $local11)))
    ;; 008: rem a4,a1,a2
    (local.set $local10 (local.get $x11))
    (local.set $local8 (local.get $x12))
    (local.set $local11 (i64.eqz (local.get $local8)))
    (local.set $x14
      (select
        (local.get $local10)
        (i64.rem_s (local.get $local10) (select (i64.const 1) (local.get $local8) (local.get $local11)))
        (local.get $local11)))
    ;; 00c: remu a5,a1,a2
    (local.set $local8 (local.get $x11))
    (local.set $local10 (local.get $x12))
    (local.set $local11 (i64.eqz (local.get $local10)))
    (local.set $x15
      (select
        (local.get $local8)
        (i64.rem_u (local.get $local8) (select (i64.const 1) (local.get $local10) (local.get $local11)))
        (local.get $local11)))
    ;; 010: divw a6,a1,a2
    (local.set $local11 (i32.wrap_i64 (local.get $x11)))
    (local.set $local16 (i32.wrap_i64 (local.get $x12)))
    (local.set $local17 (i32.eqz (local.get $local16)))
    (local.set $x16
      (i64.extend_i32_s
        (select
          (i32.const -1)
          (i32.div_s
            (local.get $local11)
            (select
              (i32.const 1)
              (local.get $local16)
              (i32.or
                (local.get $local17)
                (i32.and
                  (i32.eq (local.get $local11) (i32.const 0x80000000))
                  (i32.eq (local.get $local16) (i32.const -1))))))
          (local.get $local17))))
    ;; 014: remuw a7,a1,a2
    (local.set $local17 (i32.wrap_i64 (local.get $x11)))
    (local.set $local16 (i32.wrap_i64 (local.get $x12)))
    (local.set $local11 (i32.eqz (local.get $local16)))
    (local.set $x17
      (i64.extend_i32_s
        (select
          (local.get $local17)
          (i32.rem_u (local.get $local17) (select (i32.const 1) (local.get $local16) (local.get $local11)))
          (local.get $local11))))
    (local.set $target (i64.add (local.get $page) (i64.const 24)))
    (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
    (i64.store offset=104 (i32.const 0 (;a3;)) (local.get $x13))
    (i64.store offset=112 (i32.const 0 (;a4;)) (local.get $x14))
    (i64.store offset=120 (i32.const 0 (;a5;)) (local.get $x15))
    (i64.store offset=128 (i32.const 0 (;a6;)) (local.get $x16))
    (i64.store offset=136 (i32.const 0 (;a7;)) (local.get $x17))
    (local.set $local11
      (i32.add
        (i32.load offset=912 (i32.const 0 (;fetchTlb;)))
        (i32.shl
          (i32.and (i32.wrap_i64 (i64.shr_u (local.get $target) (i64.const 12))) (i32.const 1023))
          (i32.const 4))))
    (local.set $local10 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local11))
        (i64.or (local.get $local10) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
      (then
        (local.set $local16
          (i32.load offset=32832
            (i32.add
              (i32.load offset=8 (local.get $local11))
              (i32.shl (i32.and (i32.wrap_i64 (local.get $target)) (i32.const 4094)) (i32.const 1)))))
        (if (;likely;)
          (i32.and
            (i32.ge_s (local.get $remaining) (i32.const 512))
            (i32.ne (i32.and (local.get $local16) (i32.const 32768)) (i32.const 0)))
          (then
            (return_call_indirect (type $i32_i32_i64_to_i32)
              (local.get $remaining)
              (i32.shr_u (local.get $local16) (i32.const 16))
              (local.get $local10)
              (i32.and (local.get $local16) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
