function [failure, result] = call_py(command, varargin)
% [failure, result] = call_py(command, argument, ...)
%   What the MEX file does, by MATLAB's own bridge to Python.

given = py.list();
for n = 1:numel(varargin)
  given.append(to_python(varargin{n}));
end
answer = py.roastery.matlab.py_bridge.call_from_py(command, given);
result = [];
if strcmp(char(answer{1}), 'ok')
  failure = [];
  result = to_matlab(answer{2});
else
  failure = struct('identifier', char(answer{2}), 'message', char(answer{3}));
end

end

function given = to_python(value)
if ischar(value) && (isrow(value) || isempty(value))
  given = py.tuple({'text', value});
elseif isa(value, 'single') && isreal(value) && ~issparse(value)
  given = py.tuple({'single', as_buffer(value), py.list(num2cell(size(value)))});
elseif isa(value, 'double') && isreal(value) && ~issparse(value) && numel(value) <= 4096
  given = py.tuple({'numbers', py.list(num2cell(value(:)'))});
elseif isstruct(value) && isscalar(value) && isfield(value, 'ptr') ...
    && isfield(value, 'init_key') && isa(value.ptr, 'uint64')
  given = py.tuple({'handle', value.ptr, value.init_key});
else
  given = py.tuple({'other', class(value)});
end
end

function buffer = as_buffer(value)
buffer = py.array.array('f');
if ~isempty(value)
  buffer.frombytes(py.bytes(typecast(value(:)', 'uint8')));
end
end

function value = to_matlab(result)
switch char(result{1})
  case 'number'
    value = double(result{2});
  case 'text'
    value = char(result{2});
  case 'row'
    value = reshape(double(result{2}), 1, []);
  case 'column'
    value = reshape(double(result{2}), [], 1);
  case 'single'
    value = reshape(single(result{3}), double(result{2}));
  case 'handles'
    numbers = uint64(result{3});
    value = struct('ptr', num2cell(numbers(:)), 'init_key', double(result{2}));
  case 'cells'
    items = cell(result{2});
    value = cell(numel(items), 1);
    for n = 1:numel(items)
      value{n} = to_matlab(items{n});
    end
  case 'record'
    names = cell(result{2});
    items = cell(result{3});
    value = struct();
    for n = 1:numel(names)
      value.(char(names{n})) = to_matlab(items{n});
    end
  otherwise
    value = [];
end
end
