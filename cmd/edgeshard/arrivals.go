package main

import (
	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
)

// registerArrivals adds the flags of how requests come and are admitted.
func (wf *workloadFlags) registerArrivals(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&wf.w.Arrival, "arrival", "", "process of the arrivals at --rate: poisson, constant, uniform, gamma, weibull or lognormal")
	f.Float64Var(&wf.w.ArrivalCV, "arrival-cv", 0, "coefficient of variation of the times between arrivals")
	f.StringVar(&wf.w.ReplayFile, "replay", "", "replay the requests of this CSV file: ours, the Azure LLM inference traces' or BurstGPT's")
	f.StringVar((*string)(&wf.w.Admission), "admission", "", "when waiting requests enter: batch or continuous")
	f.StringVar((*string)(&wf.w.Order), "order", "", "which waiting request enters first: fifo or shortest")
	f.Float64Var(&wf.w.SLO.TTFTMS, "slo-ttft-ms", 0, "most time to the first token of a request that counts for goodput")
	f.Float64Var(&wf.w.SLO.TPOTMS, "slo-tpot-ms", 0, "most time per further token of a request that counts for goodput")
	choices(cmd, "arrival", "poisson", "constant", "uniform", "gamma", "weibull", "lognormal")
	choices(cmd, "admission", string(edgeshard.BatchAdmission), string(edgeshard.ContinuousAdmission))
	choices(cmd, "order", string(edgeshard.FIFO), string(edgeshard.ShortestFirst))
}

// overrideArrivals lays those flags that are given over a workload.
func (wf *workloadFlags) overrideArrivals(w *edgeshard.Workload) error {
	flags := wf.cmd.Flags()
	for name, set := range map[string]func(){
		"arrival":     func() { w.Arrival = wf.w.Arrival },
		"arrival-cv":  func() { w.ArrivalCV = wf.w.ArrivalCV },
		"admission":   func() { w.Admission = wf.w.Admission },
		"order":       func() { w.Order = wf.w.Order },
		"slo-ttft-ms": func() { w.SLO.TTFTMS = wf.w.SLO.TTFTMS },
		"slo-tpot-ms": func() { w.SLO.TPOTMS = wf.w.SLO.TPOTMS },
	} {
		if flags.Changed(name) {
			set()
		}
	}
	if !flags.Changed("replay") {
		return nil
	}
	w.ReplayFile = wf.w.ReplayFile
	return w.ReadReplay(".")
}
