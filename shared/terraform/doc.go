// Package terraform runs Terraform or OpenTofu in one root module, by itself or through
// Atmos: [CLI] is one executable in one directory, and its methods are the commands. Which
// executable to run is found by package install, and what a planfile holds is read by
// package planfile.
//
// # Why terraform-exec runs only version
//
// Version goes through hashicorp/terraform-exec. This package starts all other commands
// itself (process.go), because terraform-exec
//
//   - asks the kernel to SIGKILL Terraform when its parent dies (Pdeathsig, on
//     Linux), which in the middle of an apply loses the state of everything just
//     made, and leaves the state locked;
//   - refuses TF_VAR_* and TF_CLI_ARGS*, drops TF_LOG and TF_WORKSPACE, and so
//     leaves only process arguments, which every user of the machine can read,
//     as the way to hand over a variable;
//   - kills Terraform some seconds after cancellation, and holds a whole plan in
//     memory to show it.
//
// # What happens to Terraform when this process is cancelled, or dies
//
// Terraform runs in a process group of its own, so a signal that a terminal or a
// runner sends to the group reaches Terraform once, through the rule below, and
// not twice: Terraform takes a second interrupt as the order to drop everything.
//
//   - When the context ends, Terraform gets one interrupt. It finishes or stops what it
//     has begun, writes the state and releases the lock. There is no time limit: that may
//     take minutes.
//   - Each value from [CLI.Signals] after that is a stronger measure: first a second
//     interrupt (Terraform exits at once and gives up what it is doing), then SIGKILL to
//     Terraform and its providers.
//
// When this process itself is killed, Terraform continues to its end. Its output is
// therefore a file and not a pipe: a Go program is killed by SIGPIPE if it writes to a
// standard output that nobody reads. The file is unlinked from the start, has mode 0600,
// and is followed while it grows.
//
// If Atmos runs Terraform, Terraform must also outlive Atmos; package keeper says how.
//
// The package needs process groups: it builds on Linux, macOS and other Unixes.
package terraform
