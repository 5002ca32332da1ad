// Package batch is work on many targets in one job: which of them are meant
// ([Select]), which has to wait for which ([Order]), doing it side by side ([Run]),
// and the matrix for workflows with a job per target ([Matrix]).
package batch
