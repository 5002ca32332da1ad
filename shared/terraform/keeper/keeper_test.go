package keeper_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/shared/terraform/keeper"
	"github.com/terraform-gitops/gitops/test/kit/executable"
)

func TestMain(m *testing.M) {
	if status, kept := keeper.Keep(os.Args, os.Environ()); kept {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func TestTerraformsOwnEndIsTheTruth(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, atmos, terraform string
		changes, fails         bool
		after                  bool
		log                    string
	}{
		{name: "changes", atmos: `"$@"`, terraform: `exit 2`, changes: true},
		{name: "no changes", atmos: `"$@"`, terraform: `exit 0`},
		{name: "Atmos makes another code of it", atmos: `"$@"; exit 0`, terraform: `exit 2`, changes: true},
		{name: "a failure that Atmos hides", atmos: `"$@"; exit 0`, terraform: `exit 1`, fails: true},
		{name: "Atmos fails after Terraform", atmos: `"$@"; echo hook; exit 3`, terraform: `exit 2`, fails: true, after: true, log: "hook\n"},
		{name: "Atmos is killed after Terraform", atmos: `"$@"; kill -KILL $$`, terraform: `exit 2`, fails: true, after: true},
		{name: "Atmos is killed before Terraform", atmos: `kill -KILL $$`, terraform: `exit 2`, fails: true},
		{name: "Atmos runs no Terraform", atmos: `exit 0`, terraform: `exit 0`, fails: true},
		{
			name: "Atmos is killed while Terraform talks", atmos: `"$@" & echo $! >$DIR/front; wait`,
			terraform: `say one; parent=$(cut -d' ' -f4 /proc/$(cut -d' ' -f4 /proc/$PPID/stat)/stat); kill -KILL $parent; sleep 0.5; say two; say three; exit 2`,
			fails:     true, after: true, log: "Terraform 1.11.4\none\ntwo\nthree\n",
		},
		{
			name: "Atmos and its whole group are killed", atmos: `"$@"`,
			terraform: `say one; front=$(cut -d' ' -f4 /proc/$PPID/stat); kill -KILL -$(cut -d' ' -f5 /proc/$front/stat); sleep 0.5; say two; exit 2`,
			fails:     true, after: true, log: "Terraform 1.11.4\none\ntwo\n",
		},
		{
			name: "its keeper is killed as well", atmos: `"$@"`,
			terraform: `front=$(cut -d' ' -f4 /proc/$PPID/stat); kill -KILL $PPID -$(cut -d' ' -f5 /proc/$front/stat); sleep 0.5; touch $DIR/ended; exit 2`,
			fails:     true,
		},
		{name: "Terraform is killed", atmos: `"$@"`, terraform: `kill -KILL $$`, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, log := terraformtest.NewAtmos(t, test.atmos, test.terraform)
			result, err := c.Plan(t.Context(), terraform.PlanOptions{Out: "planfile"})
			if (err != nil) != test.fails || result.HasChanges != test.changes || errors.Is(err, terraform.ErrAfterTerraform) != test.after {
				t.Errorf("changes %v, error %v", result.HasChanges, err)
			}
			if test.log != "" && !strings.HasSuffix(log.String(), test.log) {
				t.Errorf("log %q", log)
			}
			if strings.Contains(test.terraform, "ended") && !terraformtest.Exists(filepath.Join(c.Dir, "ended")) {
				t.Error("Terraform was not waited for")
			}
			if left, err := os.ReadDir(c.Atmos.Scratch); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestTerraformOfAnInterruptedAtmosGoesOn(t *testing.T) {
	t.Parallel()
	c, log := terraformtest.NewAtmos(t, `"$@" & echo $! >$DIR/front; wait`, `trap 'echo interrupted >>$DIR/interrupts' INT
kill -INT $(cut -d' ' -f4 /proc/$(cut -d' ' -f4 /proc/$PPID/stat)/stat); sleep 0.5; say done; exit 0`)
	_, err := c.Plan(t.Context(), terraform.PlanOptions{Out: "planfile"})
	if !errors.Is(err, terraform.ErrAfterTerraform) || terraformtest.Exists(filepath.Join(c.Dir, "interrupts")) {
		t.Errorf("error %v", err)
	}
	log.Has(t, "done\n")
}

// cancelled cancels a plan once Terraform has begun, and returns the plan's error.
func cancelled(t *testing.T, c *terraform.CLI) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !terraformtest.Exists(filepath.Join(c.Dir, "begun")) && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := c.Plan(ctx, terraform.PlanOptions{Out: "planfile"})
	return err
}

const interruptible = `trap 'echo interrupted >>$DIR/interrupts' INT
echo begun >>$DIR/begun
while [ ! -e $DIR/interrupts ]; do sleep 0.05; done
sleep 0.5; say stopped; exit 1`

func TestTerraformGetsOneInterrupt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, atmos string }{
		{"of an Atmos that passes none on", `trap '' INT; "$@"`},
		{"of an Atmos that dies of it", `"$@"`},
		{"of an Atmos that passes it on", `trap 'kill -INT $front' INT TERM; "$@" & front=$!; while kill -0 $front; do wait $front; done; wait $front`},
		{"of an Atmos that hangs", `"$@" & kill -STOP $$`},
		{"of an Atmos that goes on", `"$@"; "$@"; terraform plan`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, log := terraformtest.NewAtmos(t, test.atmos, interruptible)
			if err := cancelled(t, c); !errors.Is(err, terraform.ErrInterrupted) {
				t.Errorf("error %v", err)
			}
			if got := terraformtest.ReadFile(t, filepath.Join(c.Dir, "interrupts")); got != "interrupted\n" {
				t.Errorf("interrupts %q", got)
			}
			if got := terraformtest.ReadFile(t, filepath.Join(c.Dir, "begun")); got != "begun\n" {
				t.Errorf("another Terraform was started: %q", got)
			}
			log.Has(t, "stopped\n")
		})
	}
}

// What a component calls its Terraform may be a script that starts it. Some pass signals on.
func TestTheTerraformOfAScriptGetsOneInterrupt(t *testing.T) {
	t.Parallel()
	const real = `#!/bin/sh
trap 'echo interrupted >>$DIR/interrupts; echo "Interrupt received."' INT
touch $DIR/begun
while [ ! -e $DIR/interrupts ]; do sleep 0.05; done
sleep 4; touch $DIR/ended; exit 1
`
	for _, test := range []struct{ name, script string }{
		{"that is replaced by it", `exec $DIR/real`},
		{"that waits for it", `$DIR/real; exit $?`},
		{"that ignores signals", `trap : INT; $DIR/real; exit $?`},
		// What a shell has in the background ignores interrupts, unless it is told otherwise.
		{"that passes signals on", `env --default-signal=INT $DIR/real & pid=$!; trap 'kill -INT $pid' INT; wait $pid; wait $pid; exit $?`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, _ := terraformtest.NewAtmos(t, `trap '' INT; "$@"`, test.script)
			if err := executable.Write(filepath.Join(c.Dir, "real"), real); err != nil {
				t.Fatal(err)
			}
			if err := cancelled(t, c); !errors.Is(err, terraform.ErrInterrupted) {
				t.Errorf("error %v", err)
			}
			if got := terraformtest.ReadFile(t, filepath.Join(c.Dir, "interrupts")); got != "interrupted\n" {
				t.Errorf("interrupts %q", got)
			}
			if !terraformtest.Exists(filepath.Join(c.Dir, "ended")) {
				t.Error("it was not waited for")
			}
		})
	}
}

func TestAnInterruptThatComesFromManySidesIsOne(t *testing.T) {
	t.Parallel()
	c, _ := terraformtest.NewAtmos(t, `trap '' INT; "$@" & front=$!; until [ -e $DIR/ready ]; do sleep 0.05; done; kill -INT $front; kill -TERM $front; wait $front; kill -INT $front; wait $front`,
		`trap 'echo interrupted >>$DIR/interrupts' INT
touch $DIR/ready
while [ ! -e $DIR/interrupts ]; do sleep 0.05; done
touch $DIR/begun
sleep 1; exit 1`)
	if err := cancelled(t, c); !errors.Is(err, terraform.ErrInterrupted) {
		t.Errorf("error %v", err)
	}
	if got := terraformtest.ReadFile(t, filepath.Join(c.Dir, "interrupts")); got != "interrupted\n" {
		t.Errorf("interrupts %q", got)
	}
}

func TestFurtherSignalsReachTheTerraformOfAtmos(t *testing.T) {
	t.Parallel()
	c, _ := terraformtest.NewAtmos(t, `trap '' INT; "$@"`, `trap 'echo interrupted >>$DIR/interrupts' INT
(trap '' INT; echo $(sh -c 'echo $PPID') >$DIR/provider; while :; do sleep 0.05; done) &
until [ -s $DIR/provider ]; do sleep 0.05; done
touch $DIR/begun
while :; do sleep 0.05; done`)
	signals := make(chan os.Signal, 1)
	c.Signals = signals
	done := make(chan error, 1)
	go func() { done <- cancelled(t, c) }()
	interrupts := func(want int) func() bool {
		return func() bool {
			text, _ := os.ReadFile(filepath.Join(c.Dir, "interrupts"))
			return strings.Count(string(text), "\n") == want
		}
	}
	terraformtest.Eventually(t, "one interrupt arrives", interrupts(1))
	signals <- os.Interrupt
	terraformtest.Eventually(t, "a second interrupt arrives", interrupts(2))
	signals <- syscall.SIGTERM
	if err := <-done; !errors.Is(err, terraform.ErrInterrupted) {
		t.Errorf("error %v", err)
	}
	provider := 0
	if _, err := fmt.Sscan(terraformtest.ReadFile(t, filepath.Join(c.Dir, "provider")), &provider); err != nil {
		t.Fatal(err)
	}
	terraformtest.Eventually(t, "the provider is gone", func() bool { return !terraformtest.Runs(provider) })
}

// The component's own command runs, in the environment that Atmos gives it.
func TestWhatRunsIsTheCommandOfTheComponent(t *testing.T) {
	t.Parallel()
	const show = `env >$DIR/env; echo "$0 $@" >$DIR/ran; cat; exit 0`
	for _, test := range []struct{ name, command, atmos string }{
		{"by default", "", `$ATMOS_COMPONENTS_TERRAFORM_COMMAND "$command" "$@"`},
		{"a name in a stack manifest", "our-tofu", `our-tofu "$command" "$@"`},
		{"a name in atmos.yaml", "our-tofu", `$ATMOS_COMPONENTS_TERRAFORM_COMMAND "$command" "$@"`},
		{"a path in atmos.yaml", "/path/", `$ATMOS_COMPONENTS_TERRAFORM_COMMAND "$command" "$@"`},
		{"a path in a stack manifest", "/path/", `$DIR/it's/tofu "$command" "$@"`},
		{"with another environment", "our-tofu", `export ADDED=yes; PATH=/before:$PATH our-tofu "$command" "$@"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, _ := terraformtest.NewAtmos(t, "shift 2\n"+strings.ReplaceAll(test.atmos, "it's", `"it's"`), show)
			for _, name := range []string{"it's/tofu", "bin/our-tofu"} {
				path := filepath.Join(c.Dir, name)
				if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o755), executable.Write(path, "#!/bin/sh\n"+terraformtest.Said+show)); err != nil {
					t.Fatal(err)
				}
			}
			want := c.Path
			switch c.Atmos.Command = test.command; test.command {
			case "our-tofu":
				want = filepath.Join(c.Dir, "bin", "our-tofu")
			case "/path/":
				want = filepath.Join(c.Dir, "it's", "tofu")
				c.Atmos.Command = want
			}
			c.Path = want
			path := filepath.Join(c.Dir, "bin") + ":" + filepath.Dir(c.Path) + ":" + os.Getenv("PATH")
			c.Env = append(c.Env, "PATH="+path, "ATMOS_COMPONENTS_TERRAFORM_COMMAND=as it was")
			if _, err := c.Plan(t.Context(), terraform.PlanOptions{Out: "plan file"}); err != nil {
				t.Fatal(err)
			}
			ran := terraformtest.ReadFile(t, filepath.Join(c.Dir, "ran"))
			if !strings.HasPrefix(ran, want+" plan -json ") || !strings.Contains(ran, " -out=plan file") {
				t.Errorf("ran %q, want %s", ran, want)
			}
			env := terraformtest.ReadFile(t, filepath.Join(c.Dir, "env"))
			if test.name == "a path in a stack manifest" {
				return // Atmos' own child
			}
			if strings.Contains(test.name, "another") {
				path = "/before:" + path
				if !strings.Contains(env, "\nADDED=yes\n") {
					t.Errorf("ADDED is not in it:\n%s", env)
				}
			}
			for _, want := range []string{"PATH=" + path, "ATMOS_COMPONENTS_TERRAFORM_COMMAND=as it was"} {
				if !strings.Contains("\n"+env, "\n"+want+"\n") {
					t.Errorf("%s is not in it:\n%s", want, env)
				}
			}
			if strings.Contains(env, "GITOPS_") {
				t.Errorf("what is ours is in it:\n%s", env)
			}
		})
	}
}

func TestOutputOfBothKindsArrives(t *testing.T) {
	t.Parallel()
	c, log := terraformtest.NewAtmos(t, `"$@" >$DIR/out 2>$DIR/err; code=$?; cat $DIR/out $DIR/err; exit $code`, `say out; echo failed >&2; exit 1`)
	if _, err := c.Plan(t.Context(), terraform.PlanOptions{Out: "planfile"}); err == nil {
		t.Error("no error")
	}
	if got := terraformtest.ReadFile(t, filepath.Join(c.Dir, "err")); got != "failed\n" {
		t.Errorf("stderr %q", got)
	}
	if got := log.String(); got != "Terraform 1.11.4\nout\nfailed\n" {
		t.Errorf("log %q", got)
	}
}
