;; What build.sh puts in place of memory.copy and memory.fill in the plugins. wazero 1.8, which Dapr has, compiles these to calls of Go's
;; memmove and believes that it keeps the register RDX. On processors with fast REP MOVS it does not, from 2 KiB on: the guest goes on with
;; another value.
 (func $copy (param $to i32) (param $from i32) (param $n i32)
  (if (i32.lt_u (i32.sub (local.get $to) (local.get $from)) (local.get $n))
   (then ;; the end first, because they overlap
    (loop $words
     (if (i32.ge_u (local.get $n) (i32.const 8))
      (then
       (local.set $n (i32.sub (local.get $n) (i32.const 8)))
       (i64.store align=1 (i32.add (local.get $to) (local.get $n)) (i64.load align=1 (i32.add (local.get $from) (local.get $n))))
       (br $words))))
    (loop $bytes
     (if (local.get $n)
      (then
       (local.set $n (i32.sub (local.get $n) (i32.const 1)))
       (i32.store8 (i32.add (local.get $to) (local.get $n)) (i32.load8_u (i32.add (local.get $from) (local.get $n))))
       (br $bytes)))))
   (else
    (loop $words
     (if (i32.ge_u (local.get $n) (i32.const 8))
      (then
       (i64.store align=1 (local.get $to) (i64.load align=1 (local.get $from)))
       (local.set $to (i32.add (local.get $to) (i32.const 8)))
       (local.set $from (i32.add (local.get $from) (i32.const 8)))
       (local.set $n (i32.sub (local.get $n) (i32.const 8)))
       (br $words))))
    (loop $bytes
     (if (local.get $n)
      (then
       (i32.store8 (local.get $to) (i32.load8_u (local.get $from)))
       (local.set $to (i32.add (local.get $to) (i32.const 1)))
       (local.set $from (i32.add (local.get $from) (i32.const 1)))
       (local.set $n (i32.sub (local.get $n) (i32.const 1)))
       (br $bytes)))))))
 (func $fill (param $to i32) (param $byte i32) (param $n i32)
  (loop $bytes
   (if (local.get $n)
    (then
     (local.set $n (i32.sub (local.get $n) (i32.const 1)))
     (i32.store8 (i32.add (local.get $to) (local.get $n)) (local.get $byte))
     (br $bytes)))))
