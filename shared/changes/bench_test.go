package changes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/terraform-gitops/gitops/shared/changes/changestest"
)

// readFileEnv names a file that the test binary, run again as a process of its
// own, reads as a plan, to tell the peak memory that reading it takes.
const readFileEnv = "CHANGES_TEST_READ_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(readFileEnv); path != "" {
		if err := readFileAndTell(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// readFileAndTell reads a plan and prints its changed resources and how many
// bytes of memory the process had resident at most.
func readFileAndTell(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	plan, err := Read(f, reportLimit)
	if err != nil {
		return err
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	peak := usage.Maxrss // KiB, but bytes on darwin
	if runtime.GOOS != "darwin" {
		peak <<= 10
	}
	fmt.Println(len(plan.Resources)+plan.Omitted, peak)
	return nil
}

// reportLimit is enough for the largest report, a step summary of 1 MiB.
var reportLimit = Limit{Bytes: 2 << 20}

const benchmarkChanges = 50_000

// BenchmarkPlanReading reads a plan with 50,000 resource changes, and decodes
// the same bytes into terraform-json's Plan beside it, in turns. It reports how
// many times faster reading is (x-tfjson, of the best times of both, which load
// on the machine disturbs least), and the peak memory in MiB of a process of its
// own that reads it (peak-MiB).
func BenchmarkPlanReading(b *testing.B) {
	path := filepath.Join(b.TempDir(), "plan.json")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := changestest.WritePlan(f, benchmarkChanges); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	peak := peakOfReading(b, path)
	document, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}

	ours, theirs := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for range 4 {
		runtime.GC()
		start := time.Now()
		plan, err := Read(bytes.NewReader(document), reportLimit)
		if err != nil {
			b.Fatal(err)
		}
		ours = min(ours, time.Since(start))

		runtime.GC()
		start = time.Now()
		var decoded tfjson.Plan
		if err := json.Unmarshal(document, &decoded); err != nil {
			b.Fatal(err)
		}
		theirs = min(theirs, time.Since(start))
		if got, want := plan.Counts, countDecoded(&decoded); got != want {
			b.Fatalf("counts are %+v, terraform-json's are %+v", got, want)
		}
	}
	b.SetBytes(int64(len(document)))
	for b.Loop() {
		if _, err := Read(bytes.NewReader(document), reportLimit); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(theirs)/float64(ours), "x-tfjson")
	b.ReportMetric(float64(theirs.Milliseconds()), "tfjson-ms")
	b.ReportMetric(float64(ours.Milliseconds()), "ours-ms")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
}

func peakOfReading(b *testing.B, path string) int64 {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self)
	cmd.Env = append(os.Environ(), readFileEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("read the plan in another process: %v", err)
	}
	resources, peak, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if resources != strconv.Itoa(benchmarkChanges*8/10) {
		b.Fatalf("the other process read %q", out)
	}
	n, err := strconv.ParseInt(peak, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}
