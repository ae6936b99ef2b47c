module github.com/edgeshard/edgeshard/tools/desbench

go 1.26.0

require github.com/edgeshard/edgeshard v0.0.0

replace github.com/edgeshard/edgeshard => ../..
