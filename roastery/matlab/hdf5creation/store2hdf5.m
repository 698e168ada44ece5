function [curr_dat_sz, curr_lab_sz] = store2hdf5(filename, data, labels, create, startloc, chunksz)
% [data_size, label_size] = store2hdf5(file, data, labels, create, start, chunk)
%   Write samples into the data sets /data and /label of an HDF5 file, which
%   can grow: for layers of type HDF5Data.
%     data     width x height x channels x num, or any array whose last
%              dimension counts samples
%     labels   values x num
%     create   true (the default): a new file; false: add to the file
%     start    a struct with the fields dat and lab: where in the data sets the
%              first value goes, from 1 on; by default behind what is there
%     chunk    so many samples are stored together (by default 1000); only
%              counts for a new file
%   returns the sizes of both data sets
%   Caffe: matlab/hdf5creation/store2hdf5.m

if nargin < 4 || isempty(create)
  create = true;
end
if nargin < 5
  startloc = [];
end
if nargin < 6 || isempty(chunksz)
  chunksz = 1000;
end
[curr_dat_sz, curr_lab_sz] = ...
  caffe.internal.store_hdf5(filename, data, labels, create, startloc, chunksz);

end
