// Package batch works on many targets side by side in one job ([Run]), and hands the
// signals of the job to each of them ([Spread]).
package batch
