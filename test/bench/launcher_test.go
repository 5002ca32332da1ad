package bench

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// BenchmarkLauncher measures how much time the launcher adds to a binary that is already on the
// machine. node-ms is the part of Node.js, which every JavaScript action starts.
func BenchmarkLauncher(b *testing.B) {
	binary := filepath.Join(build(b), "plan")
	action := b.TempDir()
	must(b, os.CopyFS(filepath.Join(action, "shared", "launcher"), os.DirFS("../../shared/launcher")))
	content, err := os.ReadFile(binary)
	must(b, err)
	list := fmt.Sprintf("# v1.2.3\n%x  plan_%s_%s\n", sha256.Sum256(content), runtime.GOOS, runtime.GOARCH)
	write(b, filepath.Join(action, "actions", "checksums.txt"), list)
	empty := filepath.Join(action, "empty.js")
	write(b, empty, "")

	// Without inputs the action says what is missing, and ends.
	took := func(name string, args ...string) float64 {
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "RUNNER_TEMP="+action, "GITOPS_BINARY="+binary)
		began := time.Now()
		if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			b.Fatal(err)
		}
		return time.Since(began).Seconds()
	}
	for b.Loop() {
		var bare, node, overhead []float64
		for range 21 {
			bare = append(bare, took(binary))
			node = append(node, took("node", empty))
			overhead = append(overhead, took("node", filepath.Join(action, "shared", "launcher", "plan.js"))-bare[len(bare)-1])
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(median(bare)*1000, "binary-ms")
		b.ReportMetric(median(node)*1000, "node-ms")
		b.ReportMetric(median(overhead)*1000, "overhead-ms")
	}
}
