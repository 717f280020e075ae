// SPDX-License-Identifier: Apache-2.0
//
// The peer of benchmarks/decode_answer.cpp: client_golang decodes the same bodies, which
// `decode_answer --write-body SERIES FILE` has written. Its arguments are these files, of 1, 100 and
// 10 000 series, after --smoke or --quick; it writes the same lines.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o decode_answer_go decode_answer.go
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

func require(holds bool, what string) {
	if !holds {
		fmt.Fprintln(os.Stderr, "the benchmark is broken:", what)
		os.Exit(1)
	}
}

// server is an in-process transport that answers every request with the same body.
type server struct{ body []byte }

func (s server) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{"Content-Type": []string{"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(s.body)),
		ContentLength: int64(len(s.body)),
		Request:       request,
	}, nil
}

// check compares client_golang's result for a body with that of the standard library.
func check(matrix model.Matrix, body []byte) {
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Values [][2]interface{}
			}
		}
	}
	require(json.Unmarshal(body, &answer) == nil && len(matrix) == len(answer.Data.Result), "the series differ")
	for i, series := range answer.Data.Result {
		stream := matrix[i]
		require(len(stream.Metric) == len(series.Metric), "the labels differ")
		for name, value := range series.Metric {
			require(string(stream.Metric[model.LabelName(name)]) == value, "a label differs")
		}
		require(len(stream.Values) == len(series.Values), "the samples differ")
		for j, sample := range series.Values {
			value, err := strconv.ParseFloat(sample[1].(string), 64)
			require(err == nil && float64(stream.Values[j].Value) == value, "a value differs")
			require(float64(stream.Values[j].Timestamp)/1000 == sample[0].(float64), "a time differs")
		}
	}
}

// cpuSeconds includes the garbage collector's threads. The programs in C++ measure the same.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	require(syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil, "no CPU time")
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func main() {
	smoke, rounds, files := false, 15, []string{}
	for _, argument := range os.Args[1:] {
		switch argument {
		case "--smoke":
			smoke, rounds = true, 1
		case "--quick":
			rounds = 5
		case "--help":
			fmt.Println("usage: decode_answer [--quick | --smoke] BODY BODY BODY\n\nDecodes the bodies with client_golang: the peer in Go of decode_answer.cpp, which writes them.")
			return
		default:
			if strings.HasPrefix(argument, "--") {
				fmt.Fprintf(os.Stderr, "decode_answer: unknown option '%s'; decode_answer --help lists the options\n", argument)
				os.Exit(2)
			}
			files = append(files, argument)
		}
	}
	require(len(files) == 3, "three bodies are needed")
	for i, name := range []string{"1", "100", "10 000"} {
		series := []int{1, 100, 10000}[i]
		body, err := os.ReadFile(files[i])
		require(err == nil, "a body cannot be read")
		client, err := api.NewClient(api.Config{Address: "http://prometheus.invalid", RoundTripper: server{body}})
		require(err == nil, "cannot make a client")
		prometheus := v1.NewAPI(client)
		decode := func() model.Matrix {
			value, _, err := prometheus.Query(context.Background(), "up[1m]", time.Unix(1700000000, 0))
			require(err == nil, "client_golang rejects the answer")
			matrix, ok := value.(model.Matrix)
			require(ok && len(matrix) == series, "the number of series differs")
			return matrix
		}

		// The clock is too coarse for one short answer.
		repeats := 1
		if !smoke {
			repeats = 10000/series + 1
		}
		var seconds []float64
		var before, after runtime.MemStats
		check(decode(), body)
		runtime.ReadMemStats(&before)
		for round := 0; round < rounds; round++ {
			start := cpuSeconds()
			for j := 0; j < repeats; j++ {
				decode()
			}
			seconds = append(seconds, (cpuSeconds()-start)/float64(repeats))
		}
		runtime.ReadMemStats(&after)
		sort.Float64s(seconds)
		row := func(path, unit, better string, value float64) {
			fmt.Printf(`{"path":"%s","work":"%s series of 17 labels and 4 samples","who":"client_golang",`+
				`"unit":"%s","better":"%s","value":%.9g}`+"\n", path, name, unit, better, value)
		}
		row("query answer decoded", "MB/s", "more", float64(len(body))/1e6/seconds[len(seconds)/2])
		row("query answer decoded: memory", "allocations per answer", "less",
			float64(after.Mallocs-before.Mallocs)/float64(rounds*repeats))
	}
}
