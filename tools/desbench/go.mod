module github.com/edgeshard/edgeshard/tools/desbench

go 1.26.0

require (
	github.com/edgeshard/edgeshard v0.0.0
	github.com/fschuetz04/simgo v0.0.0
)

replace github.com/edgeshard/edgeshard => ../..

// run.sh puts a copy here.
replace github.com/fschuetz04/simgo => ./simgo
