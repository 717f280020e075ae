// SPDX-License-Identifier: Apache-2.0

// Sends one query repeatedly with client_golang: `http_query URL CONNECTIONS QUERIES`. Started by
// benchmarks/http_query.cpp, which puts its output into the table.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	check(err)
	return value
}

// CPU time of this process so far, in user and kernel mode.
func cpu() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func main() {
	const usage = "usage: http_query URL CONNECTIONS QUERIES"
	for _, argument := range os.Args[1:] {
		switch {
		case argument == "--help":
			fmt.Println(usage + "\n\nSends one query repeatedly with client_golang: the peer in Go of http_query.cpp.")
			return
		case strings.HasPrefix(argument, "-"):
			fmt.Fprintf(os.Stderr, "http_query: unknown option '%s'; %s\n", argument, usage)
			os.Exit(2)
		}
	}
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	connections := int(number(os.Args[2]))
	queries := number(os.Args[3])
	// The default transport keeps two connections and closes the others after each answer.
	transport := api.DefaultRoundTripper.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = connections
	client, err := api.NewClient(api.Config{Address: os.Args[1], RoundTripper: transport})
	check(err)
	prometheus := v1.NewAPI(client)

	ask := func(left int64) {
		var waiting sync.WaitGroup
		for i := 0; i < connections; i++ {
			waiting.Add(1)
			go func() {
				defer waiting.Done()
				for atomic.AddInt64(&left, -1) >= 0 {
					deadline, done := context.WithTimeout(context.Background(), 10*time.Second)
					value, _, err := prometheus.Query(deadline, "up", time.Time{})
					done()
					check(err)
					if len(value.(model.Vector)) != 1 {
						check(fmt.Errorf("not one series"))
					}
				}
			}()
		}
		waiting.Wait()
	}

	ask(int64(connections) * 20)
	began := time.Now()
	used := cpu()
	ask(queries)
	took := time.Since(began)
	fmt.Printf("queries/s: %.1f\n", float64(queries)/took.Seconds())
	fmt.Printf("CPU us/query: %.3f\n", float64((cpu()-used).Nanoseconds())/1000/float64(queries))
}
