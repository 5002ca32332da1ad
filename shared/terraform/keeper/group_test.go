package keeper

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestAGroupIsWaitedForWhileSomethingOfItRuns(t *testing.T) {
	t.Parallel()
	ended := filepath.Join(t.TempDir(), "ended")
	cmd := exec.Command("sh", "-c", `(sleep 0.5; touch "$0") & exit`, ended) // as Atmos, and the Terraform that it leaves
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	WaitForGroup(cmd.Process.Pid)
	if _, err := os.Stat(ended); err != nil {
		t.Errorf("it was not waited for: %v", err)
	}
}

// In a container the first process may be one that does not ask for the end of
// others, so that they stay.
func TestWhatHasEndedIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		WaitForGroup(cmd.Process.Pid)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Minute):
		t.Error("it is waited for")
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	<-ended
}
