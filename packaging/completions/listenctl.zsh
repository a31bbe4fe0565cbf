#compdef listenctl listend
# zsh completion for listenctl and listend. The program prints the words; listenctl gets names from the daemon.

_listend() {
    local -a words_there
    local line="${words[*]}" cur="${words[CURRENT]}" before="${words[1,CURRENT-1]}" word
    local point=$(( ${#before} + (CURRENT > 1 ? 1 : 0) + ${#cur} ))
    if [[ ${words[CURRENT-1]} == (-H|--host) ]]; then
        _hosts
        return
    fi
    for word in ${(f)"$(${words[1]} "[suggest:$point]" "$line" 2>/dev/null)"}; do
        case $word in
            -*) [[ $cur == -* ]] || continue ;;
            /*) continue ;;
        esac
        [[ $word == "$cur"* ]] && words_there+=("$word")
    done
    (( $#words_there )) && compadd -a words_there || _files
}

_listend "$@"
