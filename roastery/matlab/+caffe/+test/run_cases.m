function results = run_cases(group, set_up, cases)
% results = run_cases(group, set_up, cases)
%   Run tests, each with what set_up() makes for it.
%     cases   a cell array, name and function in turn
%   returns a struct array: Name, Passed, Message

results = struct('Name', {}, 'Passed', {}, 'Message', {});
for n = 1:2:numel(cases)
  name = [group '/' cases{n}];
  message = '';
  try
    made = set_up();
    test = cases{n + 1};
    test(made);
  catch reason
    message = reason.message;
    fprintf('%s failed: %s\n', name, message);
  end
  results(end + 1) = struct( ...
    'Name', name, 'Passed', isempty(message), 'Message', message); %#ok<AGROW>
end

end
