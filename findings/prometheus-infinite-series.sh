#!/usr/bin/env bash
# In tests of Prometheus' rules, a series of infinite or undefined values has no short notation.
#
# `promtool test rules` takes the values of a series in an expanding notation: `1x2` is `1 1 1`, `1+2x2` is `1 3 5`. Inf and
# NaN are values too: a limit that is not set, a ratio of nothing. Written out they are accepted, and so is `Inf+0x2`. But
# `Infx2` is read as one word, because the lexer takes all letters and digits that follow a letter. The same in promtool
# 2.42.0 of Debian 12.
#
# Expected: `Infx2` is `Inf Inf Inf`, `NaNx2` is `NaN NaN NaN`. Seen: parse error, unexpected identifier "Infx2" in series
# values. Write `Inf+0x2`.
# Run: github.com/prometheus/prometheus v0.305.0 (Prometheus 3.5.0). Needs Go 1.23 or later; takes a minute.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export GOPATH=$work/path GOCACHE=$work/cache GOFLAGS=-mod=mod
cd "$work"

cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/prometheus/prometheus/promql/parser"
)

func main() {
	changed := false
	for _, values := range []string{"1 1 1", "1x2", "Inf Inf Inf", "Inf+0x2", "Infx2", "NaN NaN NaN", "NaN+0x2", "NaNx2"} {
		_, sequence, err := parser.ParseSeriesDesc("metric " + values)
		fmt.Printf("%-12s %v\n", values, map[bool]any{true: err, false: sequence}[err != nil])
		refused := values == "Infx2" || values == "NaNx2"
		changed = changed || refused != (err != nil) || (!refused && len(sequence) != 3)
	}
	if changed {
		os.Exit(1)
	}
}
GO
go mod init finding 2> go.log
go get "github.com/prometheus/prometheus/promql/parser@${1:-v0.305.0}" 2>> go.log || { cat go.log >&2; exit 2; }
go run .
