# SPDX-License-Identifier: GPL-2.0
# gnuplot -e "from='DIRECTORY'" plot.gp >detector.svg
files = system("ls ".from."/*.dat | sort -V")
set terminal svg size 1200,1000 dynamic background rgb "white" font "sans,12"
set multiplot layout 3,3 title "Failure detectors: nearer to the corner below left is better"
set logscale y
set yrange [0.05:2000]
set xrange [150:2100]
set logscale x
set xtics (200, 500, 1000, 2000)
set xlabel "detection, p99 (ms)"
set ylabel "mistakes an hour"
set key top right samplen 1
# None at all would not be on a logarithmic axis.
shown(mistakes) = mistakes < 0.07 ? 0.07 : mistakes
do for [file in files] {
	set title system("sed -n '1s/^# //p' ".file)
	plot file index 0 using 2:(shown($3)) smooth unique with linespoints pt 6 ps 0.6 lc rgb "#888888" title "fixed", \
		file index 1 using 2:(shown($3)) smooth unique with linespoints pt 4 ps 0.6 lc rgb "#3366cc" title "phi", \
		file index 2 using 2:(shown($3)) with points pt 7 ps 1.4 lc rgb "#cc3311" title "adaptive"
}
unset multiplot
