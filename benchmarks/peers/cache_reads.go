// SPDX-License-Identifier: Apache-2.0
//
// The peer in Go of cache_reads.cpp: a sync.Map of entries with a time to live that every look-up checks
// with time.Since, like the Go original's MemoryCache. Keys, values and order of look-ups are those of
// cache_reads.cpp: random, from a prepared array.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"sync"
	"time"
)

// 96 bytes, the size of a small snapshot.
type value struct {
	number uint64
	rest   [11]uint64
}

type entry struct {
	value      value
	storedAt   time.Time
	timeToLive time.Duration
}

const timeToLive = 30 * time.Second

type cache struct{ entries sync.Map }

func (c *cache) get(key string) (*entry, bool) {
	found, ok := c.entries.Load(key)
	if !ok {
		return nil, false
	}
	e := found.(*entry)
	if time.Since(e.storedAt) > e.timeToLive {
		return nil, false
	}
	return e, true
}

func (c *cache) set(key string, number uint64) {
	c.entries.Store(key, &entry{value: value{number: number}, storedAt: time.Now(), timeToLive: timeToLive})
}

func require(holds bool, what string) {
	if !holds {
		fmt.Fprintln(os.Stderr, "the benchmark is broken:", what)
		os.Exit(1)
	}
}

// Keys in the library's form.
func makeKeys(count int) []string {
	keys := make([]string, count)
	for i := range keys {
		keys[i] = fmt.Sprintf("replica:ns-%03d/llama-3-70b-va-%06d", i%100, i)
	}
	return keys
}

// Look-ups per pass over the order, a power of two.
const orderSize = 1 << 16

func makeOrder(keys int, seed int64) []uint32 {
	random := rand.New(rand.NewSource(seed))
	order := make([]uint32, orderSize)
	for i := range order {
		order[i] = uint32(random.Intn(keys))
	}
	return order
}

// Millions of operations per second of all threads together. Every writeEvery-th operation is a write; 0: none.
func measure(keyCount, threads, writeEvery, operations int) float64 {
	keys := makeKeys(keyCount)
	c := &cache{}
	for i, key := range keys {
		c.set(key, uint64(i))
	}
	runtime.GC()
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for t := 0; t < threads; t++ {
		order := makeOrder(keyCount, int64(t+1))
		ready.Add(1)
		done.Add(1)
		go func() {
			defer done.Done()
			var sum, expected uint64
			ready.Done()
			<-start
			for i := 0; i < operations; i++ {
				index := order[i&(orderSize-1)]
				if writeEvery != 0 && i%writeEvery == 0 {
					c.set(keys[index], uint64(index))
					continue
				}
				found, ok := c.get(keys[index])
				if !ok {
					require(false, "a stored key was not found")
				}
				sum += found.value.number
				expected += uint64(index)
			}
			require(sum == expected, "the wrong entries were read")
		}()
	}
	ready.Wait()
	began := time.Now()
	close(start)
	done.Wait()
	return float64(operations) * float64(threads) / time.Since(began).Seconds() / 1e6
}

func main() {
	operations := 4_000_000
	for _, argument := range os.Args[1:] {
		switch argument {
		case "--smoke":
			operations = 1000
		case "--quick":
			operations = 1_000_000
		case "--help":
			fmt.Println("usage: cache_reads [--quick | --smoke]\n\nLook-ups per second of a sync.Map with a TTL: the peer in Go of cache_reads.cpp.")
			return
		default:
			fmt.Fprintf(os.Stderr, "cache_reads: unknown option '%s'; cache_reads --help lists the options\n", argument)
			os.Exit(2)
		}
	}
	row := func(path, work string, value float64) {
		fmt.Printf(`{"path":"%s","work":"%s","who":"Go sync.Map with TTL","unit":"Mops/s","better":"more","value":%.9g}`+"\n",
			path, work, value)
	}
	row("cache read in place", "10 000 keys, 1 thread", measure(10_000, 1, 0, operations))
	row("cache read in place", "1 000 keys, 2 threads", measure(1_000, 2, 0, operations))
	two := measure(10_000, 2, 0, operations)
	row("cache read in place", "10 000 keys, 2 threads", two)
	row("cache read in place", "10 000 keys, 8 threads", measure(10_000, 8, 0, operations/4))
	row("cache read handing out a snapshot", "10 000 keys, 2 threads", two)
	row("cache reads beside writes", "95 % / 5 %, 10 000 keys, 2 threads", measure(10_000, 2, 20, operations))
}
