# bash completion for listenctl and listend. The program prints the words; listenctl gets names from the daemon.

_listenctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} word
    COMPREPLY=()
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
