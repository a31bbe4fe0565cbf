# bash completion for listenctl and listend. The program prints the words; listenctl gets names from the daemon.

_listenctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} word
    COMPREPLY=()
    # Hosts: bash-completion knows them from ssh.
    if [[ ${COMP_WORDS[COMP_CWORD-1]} == @(-H|--host) ]]; then
        declare -F _known_hosts_real >/dev/null && _known_hosts_real -a -- "$cur"
        return
    fi
    while IFS= read -r word; do
        # Offer options only after a "-".
        case $word in
            -*) [[ $cur == -* ]] || continue ;;
            /*) continue ;;
        esac
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done < <("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
}

complete -o default -F _listenctl listenctl listend
