# fish completion for listenctl and listend. The program prints the words; listenctl gets names from the daemon.

function __listend_words
    set -l line (commandline --current-process --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    if contains -- (commandline --current-process --tokenize --cut-at-cursor)[-1] -H --host
        __fish_print_hostnames
        return
    end
    set -l program (commandline --current-process --tokenize)[1]
    for word in ($program "[suggest:"(string length -- $line)"]" $line 2>/dev/null)
        # Offer options only after a "-".
        switch $word
            case '-*'
                string match --quiet -- '-*' $current; and echo $word
            case '' '/*'
            case '*'
                echo $word
        end
    end
end

# Files complete where the program has no word.
for program in listenctl listend
    complete --command $program --condition 'count (__listend_words) >/dev/null' --no-files --arguments '(__listend_words)'
end
