package topologies

type (
	// Bytes is an amount of memory, written as people write it: "32GB", "29GiB".
	Bytes int64
	// BitRate is a link's speed in bits a second: "50Mbps", "1Gbps".
	BitRate int64
	// ByteRate is a memory's speed in bytes a second: "204.8GB/s".
	ByteRate int64
	// Rate is a number of operations a second: "3.33TFLOPS".
	Rate float64
	// Watts is power: "60W".
	Watts float64
)
