# bash completion for listenctl and listend. It asks the program itself; listenctl asks the daemon for names.

_listenctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} word
    COMPREPLY=()
    while IFS= read -r word; do
        # Options are offered where one has been begun; names that begin otherwise, where none has.
        case $word in
            -*) [[ $cur == -* ]] || continue ;;
            /*) continue ;;
        esac
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done < <("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
}

complete -o default -F _listenctl listenctl listend
