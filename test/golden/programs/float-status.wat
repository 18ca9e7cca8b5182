;; What programs do with fcsr.
;;
;; entry:  ; entered from outside
;;   000  00102573  csrrs a0,fflags,zero
;;   004  02c5f553  fadd.d fa0,fa1,fa2
;;   008  00151073  csrrw zero,fflags,a0
;;   00c  0020d5f3  csrrwi a1,frm,1
(module
  (type $i32_i32_i64_to_i32 (func (param i32 i32 i64) (result i32)))
  (import "env" "memory" (memory 2048 2048 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "softfloat" (func $softfloat (param i32 i32 i32 i64 i64 i64) (result i64)))
  (export "region7" (func $region7))
  (func $region7 (param $remaining i32) (param $entry i32) (param $page i64) (result i32)
    (local $pend i32) (local $target i64) (local $stop_place i32) (local $tlb i32)
    (local $local7 i64) (local $x10 i64) (local $f11 f64) (local $f12 f64)
    (local $local11 i64) (local $local12 i64) (local $local13 i64) (local $f10 f64)
    (local $x11 i64) (local $local16 i32) (local $local17 i32)
    (local.set $pend (i32.add (local.get $entry) (i32.const 1)))
    (local.set $tlb (i32.load offset=908 (i32.const 0 (;dataTlb;))))
    (i32.store offset=920 (i32.const 0 (;decodeBase;)) (i32.const 0x1000000))
    (i64.store offset=928 (i32.const 0 (;decodePageVirtual;)) (local.get $page))
    (local.set $x10 (i64.load offset=80 (i32.const 0 (;a0;))))
    (local.set $x11 (i64.load offset=88 (i32.const 0 (;a1;))))
    (local.set $f11 (f64.load offset=88 (i32.const 272 (;fa1;))))
    (local.set $f12 (f64.load offset=96 (i32.const 272 (;fa2;))))
    (local.set $f10 (f64.load offset=80 (i32.const 272 (;fa0;))))
    (block $chain (block $stop
      (local.set $pend (i32.const 0))
      (local.set $remaining (i32.add (local.get $remaining) (i32.const -4)))
      ;; 000: csrrs a0,fflags,zero
      (i32.store offset=856 (i32.const 0 (;remaining;)) (i32.add (local.get $remaining) (i32.const 3)))
      (if (;unlikely;) (i64.eqz (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576)))
        (then
          (local.set $stop_place (i32.const 0x40000))
          (br $stop)))
      (local.set $local7 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 31)))
      (local.set $x10 (local.get $local7))
      ;; 004: fadd.d fa0,fa1,fa2
      (if (;unlikely;)
        (i32.or
          (i64.ne
            (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576))
            (i64.const 24576))
          (i64.ne (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 224)) (i64.const 0)))
        (then
          (local.set $stop_place (i32.const 0x30004))
          (br $stop)))
      (local.set $local7 (i64.reinterpret_f64 (local.get $f11)))
      (local.set $local11 (i64.reinterpret_f64 (local.get $f12)))
      (local.set $local12
        (i64.reinterpret_f64
          (f64.add (f64.reinterpret_i64 (local.get $local7)) (f64.reinterpret_i64 (local.get $local11)))))
      (if (;unlikely;)
        (i32.eqz
          (i32.and
            (i32.ne
              (i32.and (i32.wrap_i64 (i64.shr_u (local.get $local12) (i64.const 52))) (i32.const 2047))
              (i32.const 2047))
            (i32.and (i32.load8_u offset=744 (i32.const 0 (;fcsr;))) (i32.const 1))))
        (then
          (local.set $local13
            (call $softfloat
              (i32.const 0)
              (i32.const 0)
              (i32.const 0)
              (local.get $local7)
              (local.get $local11)
              (i64.const 0)))
          (local.set $local12 (local.get $local13))))
      (local.set $f10 (f64.reinterpret_i64 (local.get $local12)))
      ;; 008: csrrw zero,fflags,a0
      (i32.store offset=856 (i32.const 0 (;remaining;)) (i32.add (local.get $remaining) (i32.const 1)))
      (if (;unlikely;) (i64.eqz (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576)))
        (then
          (local.set $stop_place (i32.const 0x20008))
          (br $stop)))
      (local.set $local13 (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 31)))
      (local.set $local12 (local.get $x10))
      (i64.store offset=744
        (i32.const 0 (;fcsr;))
        (i64.or
          (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const -32))
          (i64.and (local.get $local12) (i64.const 31))))
      (i64.store offset=560
        (i32.const 0 (;mstatus;))
        (i64.or (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576)))
      ;; 00c: csrrwi a1,frm,1
      (i32.store offset=856 (i32.const 0 (;remaining;)) (local.get $remaining))
      (if (;unlikely;) (i64.eqz (i64.and (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576)))
        (then
          (local.set $stop_place (i32.const 0x1000c))
          (br $stop)))
      (local.set $local12
        (i64.and (i64.shr_u (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const 5)) (i64.const 7)))
      (i64.store offset=744
        (i32.const 0 (;fcsr;))
        (i64.or (i64.and (i64.load offset=744 (i32.const 0 (;fcsr;))) (i64.const -225)) (i64.const 32)))
      (i64.store offset=560
        (i32.const 0 (;mstatus;))
        (i64.or (i64.load offset=560 (i32.const 0 (;mstatus;))) (i64.const 24576)))
      (local.set $x11 (local.get $local12))
      (local.set $target (i64.add (local.get $page) (i64.const 16)))
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
      (br $chain)
    ) ;; $stop
      (i64.store offset=80 (i32.const 0 (;a0;)) (local.get $x10))
      (i64.store offset=88 (i32.const 0 (;a1;)) (local.get $x11))
      (f64.store offset=80 (i32.const 272 (;fa0;)) (local.get $f10))
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
    (local.set $local12 (i64.and (local.get $target) (i64.const -4096)))
    (if (;likely;)
      (i64.eq
        (i64.load (local.get $local16))
        (i64.or (local.get $local12) (i64.load offset=888 (i32.const 0 (;readGeneration;)))))
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
              (local.get $local12)
              (i32.and (local.get $local17) (i32.const 32767)))))))
    (i64.store offset=528 (i32.const 0 (;pc;)) (local.get $target))
    (return (local.get $remaining))
  )
)
