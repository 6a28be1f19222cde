module mox

go 1.24

require github.com/mjl-/mox v0.0.15
