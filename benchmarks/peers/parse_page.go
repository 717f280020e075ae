// SPDX-License-Identifier: Apache-2.0
//
// The peer of benchmarks/parse_page.cpp: expfmt, the parser of Prometheus' package common, reads the
// same pages, which `parse_page --write-pages=DIRECTORY` has written. Its arguments are these files,
// in their order, after --smoke or --quick; it writes the same lines. expfmt always reads the whole
// page, so that takes as long where only some families are wanted.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o parse_page_go parse_page.go
package main

import (
	"bytes"
	"fmt"
	"os"
	"sort"
	"strings"
	"syscall"

	"github.com/prometheus/common/expfmt"
)

func require(holds bool, what string) {
	if !holds {
		fmt.Fprintln(os.Stderr, "the benchmark is broken:", what)
		os.Exit(1)
	}
}

// cpuSeconds includes the garbage collector's threads.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	require(syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil, "no CPU time")
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func main() {
	rounds, files := 300, []string{}
	for _, argument := range os.Args[1:] {
		switch argument {
		case "--smoke":
			rounds = 1
		case "--quick":
			rounds = 100
		case "--help":
			fmt.Println("usage: parse_page [--quick | --smoke] PAGE PAGE PAGE\n\nReads the pages with expfmt: the peer in Go of parse_page.cpp, which writes them.")
			return
		default:
			if strings.HasPrefix(argument, "--") {
				fmt.Fprintf(os.Stderr, "parse_page: unknown option '%s'; parse_page --help lists the options\n", argument)
				os.Exit(2)
			}
			files = append(files, argument)
		}
	}
	pages := []struct {
		what   string
		wanted int
	}{{"vLLM, 2 engines", 11}, {"SGLang, 4 engines", 9}, {"EPP, 50 pools", 2}}
	require(len(files) == len(pages), "three pages are needed")
	for i, page := range pages {
		text, err := os.ReadFile(files[i])
		require(err == nil, "a page cannot be read")
		parse := func() {
			var parser expfmt.TextParser
			families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
			require(err == nil && len(families) >= 5, "expfmt rejects the page")
		}
		parse()
		var seconds []float64
		for round := 0; round < rounds; round++ {
			start := cpuSeconds()
			parse()
			seconds = append(seconds, cpuSeconds()-start)
		}
		sort.Float64s(seconds)
		each := seconds[len(seconds)/2]
		row := func(path, unit, better string, value float64) {
			fmt.Printf(`{"path":"%s","work":"%s, %d kB","who":"expfmt","unit":"%s","better":"%s","value":%.9g}`+"\n",
				path, page.what, (len(text)+500)/1000, unit, better, value)
		}
		row("page, all samples", "MB/s", "more", float64(len(text))/1e6/each)
		row(fmt.Sprintf("page, %d wanted families", page.wanted), "us", "less", each*1e6)
	}
}
