package executable_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// Without the lock, each run of this test meets "text file busy".
func TestAProgramRunsAtOnceWhileOthersStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 20 {
				program := filepath.Join(dir, strconv.Itoa(i)+"-"+strconv.Itoa(j))
				if err := executable.Write(program, "#!/bin/sh\n"); err != nil {
					t.Error(err)
				}
				if err := exec.CommandContext(t.Context(), program).Run(); errors.Is(err, syscall.ETXTBSY) {
					t.Error(err)
				}
				_ = os.Remove(program)
			}
		})
	}
	all.Wait()
}
